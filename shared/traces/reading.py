"""From lines to records: each line is parsed, told apart and counted; a bad one is noted and the others go on."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

from shared.errors import UsageError
from shared.traces.history import history_record, is_history, is_messages
from shared.traces.identity import Contents
from shared.traces.lines import FORMATS, LONGEST, Line, open_lines
from shared.traces.parsing import parse
from shared.traces.record import RUN_KEYS, NotARecordError, Operation, RawRun, run_records, sized
from shared.traces.text import fields_of, text_record

KEPT = 100
GIVE_UP = 10_000  # lines, all bad: nobody waits for the end of a large file of an unknown kind
_JQ = "write one record a line, as `jq -c '.[]' FILE` does for an array"


class BadLine(TypedDict):
    line: int
    reason: str


class Reading:
    """Iterating yields records as the file is read; the counters are about the latest pass, so far.

    `lines` leaves blank ones out. `bad_lines` are the first hundred reasons; `bad_line_count` counts every one, where
    a line that is a list or batch of records has one for each bad record. UsageError where no line could be understood.
    Memory grows by 16 bytes for each record without an id; a file that is one JSON document of up to 64 MB is held.
    """

    def __init__(self, source: Path | BinaryIO, *, text: str | None = None, id_field: str | None = None) -> None:
        self._source = source
        self._text = text
        self._id_field = id_field
        self._begin()

    def __iter__(self) -> Iterator[RawRun]:
        self._begin()
        found = False
        for line in _joined(line for line in open_lines(self._source) if _is_filled(line)):
            self.lines += 1
            for record in self._records(line):
                found = True
                yield record
            if not found and self.lines >= GIVE_UP:
                break
        if not found:
            raise UsageError(self._nothing())

    def _begin(self) -> None:
        self.lines = 0
        self.bad_line_count = 0
        self._noted = 0
        self.bad_lines: list[BadLine] = []
        self._contents = Contents()

    def _records(self, line: Line) -> Iterator[RawRun]:
        if line.data is None:
            self._note(line, f"longer than {LONGEST >> 20} MB: if it is one JSON array of records, {_JQ}")
            return
        try:
            value = parse(line.data)
            elements = _elements(value, whole_objects=self._text is not None)
        except NotARecordError as error:
            self._note(line, str(error))
            return
        size = len(line.data)
        for element, operation in elements:
            try:
                yield from sized(self._of(element, operation), size)
                size = 0
            except NotARecordError as error:
                self._note(line, str(error))

    def _of(self, value: Any, operation: Operation) -> Iterator[RawRun]:
        name = self._contents.id_of
        if self._text is not None:
            yield text_record(value, self._text, name, self._id_field)
        elif operation == "run" and is_history(value):
            yield history_record(value, name, self._id_field)
        elif not isinstance(value, dict):
            raise NotARecordError("neither a JSON object nor a list of messages")
        elif operation == "run" and not RUN_KEYS & value.keys():
            raise NotARecordError(
                "neither a run (inputs, outputs, run_type …) nor a chat history (messages): "
                f"say which field is the text with --text; {fields_of(value)}"
            )
        else:
            yield from run_records(value, operation, name if operation == "run" else None)

    def _note(self, line: Line, reason: str) -> None:
        """A line is bad once, however many records in it are."""
        if line.number == self._noted:
            return
        self._noted = line.number
        self.bad_line_count += 1
        if len(self.bad_lines) < KEPT:
            self.bad_lines.append({"line": line.number, "reason": reason})

    def _nothing(self) -> str:
        name = self._source if isinstance(self._source, Path) else getattr(self._source, "name", "The input")
        if not self.bad_lines:
            return f"{name} holds no trace. Expected {FORMATS}."
        first = self.bad_lines[0]
        return f"{name} holds no trace that can be read. Line {first['line']}: {first['reason']}. Expected {FORMATS}."


def _is_filled(line: Line) -> bool:
    return line.data is None or bool(line.data.strip())


def _elements(value: Any, *, whole_objects: bool) -> Iterable[tuple[Any, Operation]]:
    """The records of one line: those of a list, of {"runs": …} or of a batch, else the value itself."""
    if isinstance(value, list) and (whole_objects or not is_messages(value)):
        if not value:
            raise NotARecordError("an empty list")
        return ((element, _operation(element, whole_objects)) for element in value)
    if not isinstance(value, dict) or whole_objects:
        return [(value, "run")]
    if isinstance(value.get("runs"), list) and not RUN_KEYS & value.keys():
        return ((element, _operation(element, whole_objects)) for element in value["runs"])
    if isinstance(value.get("post"), list) or isinstance(value.get("patch"), list):
        return chain(_sent(value, "post"), _sent(value, "patch"))
    return [(value, _operation(value, whole_objects))]


def _operation(value: Any, whole_objects: bool) -> Operation:
    named = value.get("operation") if isinstance(value, dict) and not whole_objects else None
    return named if named in ("post", "patch") else "run"


def _sent(value: dict[str, Any], operation: Operation) -> Iterator[tuple[Any, Operation]]:
    records = value.get(operation)
    return ((record, operation) for record in (records if isinstance(records, list) else ()))


def _joined(lines: Iterator[Line]) -> Iterator[Line]:
    """The same lines, or one, where the whole file is one JSON document that is broken into lines."""
    first = next(lines, None)
    if first is None:
        return
    if first.data is None or not first.data.lstrip().startswith((b"[", b"{")) or _is_json(first.data):
        yield first
        yield from lines
        return
    held, whole = _gathered(first, lines)
    document = b"\n".join(line.data or b"" for line in held)
    if whole and len(held) > 1 and _is_json(document):
        yield Line(first.number, document)
        return
    if not whole and first.data.strip() in (b"[", b"{"):
        raise UsageError(f"One JSON document of more than {LONGEST >> 20} MB cannot be read as it comes: {_JQ}.")
    yield from held
    yield from lines


def _gathered(first: Line, lines: Iterator[Line]) -> tuple[list[Line], bool]:
    """What a document could be made of, and whether that is all there is."""
    held = [first]
    size = len(first.data or b"")
    for line in lines:
        held.append(line)
        size += len(line.data or b"") + 1
        if line.data is None or size > LONGEST:
            return held, False
    return held, True


def _is_json(data: bytes) -> bool:
    try:
        parse(data)
    except NotARecordError as error:
        return str(error).startswith("nested")
    return True
