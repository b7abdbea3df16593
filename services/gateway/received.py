"""What one request brings: runs, feedback and attachments that can be kept, and why the rest can't."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException

from services.gateway.feedback_body import BYTES, FeedbackError, read_feedback
from services.gateway.multipart import Part, PartError, read_parts, shown, unescaped
from shared.bodies import Body
from shared.ending import now
from shared.feedback import FeedbackRecord
from shared.models import Attachment, StoredAttachment
from shared.traces.document import READ
from shared.traces.identity import run_id
from shared.traces.parsing import parse
from shared.traces.record import NotARecordError, Operation, RawRun, run_records

REASONS = 100
RUN_TYPES = ("chain", "embedding", "llm", "parser", "prompt", "retriever", "tool")
_BODIES = frozenset({"inputs", "outputs", "events", "extra", "error", "serialized"})
_LISTS: tuple[Operation, ...] = ("run", "post", "patch")  # of /runs/batch; `run` is ours: it replaces

Weigh = Callable[[bytes], None]


@dataclass(slots=True)
class Received:
    records: list[RawRun] = field(default_factory=list)
    feedback: list[FeedbackRecord] = field(default_factory=list)
    attachments: list[StoredAttachment] = field(default_factory=list)
    refused: int = 0
    reasons: list[str] = field(default_factory=list)

    def refuse(self, reason: object) -> None:
        self.refused += 1
        if len(self.reasons) < REASONS:
            self.reasons.append(str(reason))

    def add(self, fields: Any, operation: Operation) -> None:
        try:
            self.records += run_records(_object(fields), operation)
        except NotARecordError as error:
            self.refuse(error)


def of_batch(body: Any) -> Received:
    """Of {"post": [runs], "patch": [runs]}. HTTPException 422 where it is something else."""
    received = Received()
    lists = {operation: body.get(operation) or [] for operation in _LISTS} if isinstance(body, Mapping) else {}
    if not lists or not all(isinstance(one, list) for one in lists.values()):
        raise HTTPException(422, 'Expected {"post": [runs], "patch": [runs]}.')
    for operation, listed in lists.items():
        for fields in listed:
            received.add(fields, operation)
    return received


def of_multipart(body: bytes, boundary: bytes, workspace_id: str, weigh: Weigh = lambda json: None) -> Received:
    """`weigh` hears of each part of JSON before it is read, and raises what there is to raise if it is too heavy."""
    return _Collector(workspace_id, weigh).collect(body, boundary)


class _Collector:
    """Joins the parts of each run, which come in any order."""

    def __init__(self, workspace_id: str, weigh: Weigh) -> None:
        self._workspace_id, self._weigh, self._at = workspace_id, weigh, now()
        self._received = Received()
        self._heads: dict[tuple[str, str], dict[str, Any] | None] = {}  # None where it was refused
        self._bodies: dict[tuple[str, str], dict[str, Body]] = {}

    def collect(self, body: bytes, boundary: bytes) -> Received:
        for part in read_parts(body, boundary):
            try:
                if isinstance(part, PartError):
                    raise part
                self._take(part)
            except (PartError, NotARecordError) as error:
                self._received.refuse(error)
        for key in self._heads | self._bodies:
            self._join(key)
        return self._received

    def _take(self, part: Part) -> None:
        kind, _, rest = part.name.partition(".")
        owner, _, name = rest.partition(".")
        if kind in ("post", "patch") and owner and (not name or name in _BODIES):
            self._take_run(part, (kind, owner), name)
        elif kind == "feedback" and owner:
            self._received.feedback.append(self._feedback(part, owner))
        elif kind == "attachment" and name and (known := run_id(owner)):
            self._received.attachments.append(self._attachment(part, known[0], unescaped(name)))
        else:
            raise PartError(f"{shown(part.name)}: no such part is known")

    def _take_run(self, part: Part, key: tuple[str, str], name: str) -> None:
        if name:
            if (value := self._read(part)) is not None:
                body = Body(value, text=part.body) if name in READ else Body(text=part.body)
                self._bodies.setdefault(key, {})[name] = body
            return
        if self._heads.get(key):  # a second patch of the same run
            self._join(key)
        self._heads[key] = None
        fields = _object(self._read(part))
        if fields.get("run_type") is not None and fields["run_type"] not in RUN_TYPES:
            raise PartError(f"{shown(part.name)}: its run_type is none of {', '.join(RUN_TYPES)}")
        self._heads[key] = fields

    def _join(self, key: tuple[str, str]) -> None:
        if key not in self._heads:
            self._received.refuse(f"{shown('.'.join(key))}: bodies came without their run")
            return
        bodies = self._bodies.pop(key, {})
        if (fields := self._heads[key]) is not None:
            operation: Operation = "post" if key[0] == "post" else "patch"
            self._received.add({**fields, **bodies, "id": key[1]}, operation)

    def _read(self, part: Part) -> Any:
        self._weigh(part.body)
        try:
            return parse(part.body)
        except NotARecordError as error:
            raise PartError(f"{shown(part.name)}: {error}") from error

    def _feedback(self, part: Part, feedback_id: str) -> FeedbackRecord:
        if len(part.body) > BYTES:
            raise PartError(f"{shown(part.name)}: it is over {BYTES:,} bytes: shorten it")
        fields = self._read(part)
        known = run_id(feedback_id)
        try:
            return read_feedback(self._workspace_id, fields, known[0] if known else feedback_id, self._at)
        except FeedbackError as error:
            raise PartError(f"{shown(part.name)}: {error}") from error

    def _attachment(self, part: Part, owner: str, name: str) -> StoredAttachment:
        mime_type = part.mime_type or "application/octet-stream"
        size = len(part.body)
        head = Attachment(
            workspace_id=self._workspace_id, run_id=owner, name=name[:200], mime_type=mime_type, size=size
        )
        return StoredAttachment(head, part.body)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotARecordError("not a JSON object")
    return value
