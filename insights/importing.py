"""`insights import`: a file's runs into a project, in the store or through a running gateway."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from insights.folder import HeldError, locked
from insights.process import opened_store
from insights.progress import Progress
from insights.source import Source, import_runs
from shared.config import Settings
from shared.ending import now
from shared.errors import UsageError
from shared.jobs import name_uuid
from shared.models import DEFAULT_WORKSPACE, Project
from shared.traces import RawRun
from shared.traces.identity import run_id
from shared.traces.record import Operation
from shared.wording import counted

BATCH_BYTES = 4_000_000
BATCH_RUNS = 500
TOO_LARGE = 413
JSON = {"Content-Type": "application/json"}


async def import_file(source: Source, project: str, settings: Settings, folder: Path) -> str:
    """A sentence that says what was imported. A data folder that `insights up` holds is reached through it."""
    if settings.store is not None:
        return await _into_store(source, project, settings, folder)
    try:
        with locked(folder, "import"):
            return await _into_store(source, project, settings, folder)
    except HeldError as held:
        if "url" not in held.holder:
            raise
        return await _through_gateway(source, project, str(held.holder["url"]))


async def _into_store(source: Source, name: str, settings: Settings, folder: Path) -> str:
    async with opened_store(settings, folder) as store:
        identity = name_uuid("project", DEFAULT_WORKSPACE, name)
        made = Project(workspace_id=DEFAULT_WORKSPACE, id=identity, name=name, created_at=now())
        project = await store.project_named(DEFAULT_WORKSPACE, name) or await store.insert_project(made)
        with Progress() as progress:
            counts = await import_runs(store, project, source, progress, received_at=now())
    return _said(counts["runs"], source, name, counts["bad_line_count"])


def _said(runs: int, source: Source, project: str, bad: int, refusals: str = "") -> str:
    lines = f" Left out: {counted(bad, 'bad line')}." if bad else ""
    return f"Project {project} has {counted(runs, 'run')} of {source.name}.{lines}{refusals}"


@dataclass(slots=True)
class _Taken:
    """What the gateway said of the batches so far: runs taken, runs refused, and why the first of those were."""

    runs: int = 0
    refused: int = 0
    reason: str = ""

    def add(self, runs: int, refused: int, reason: str) -> None:
        self.runs += runs
        self.refused += refused
        self.reason = self.reason or reason

    @property
    def refusals(self) -> str:
        return f" Refused: {counted(self.refused, 'run')}, the first because: {self.reason}" if self.refused else ""


async def _through_gateway(source: Source, project: str, url: str) -> str:
    reading = source.read()
    taken = _Taken()
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        for batch in _batches(reading, project):
            await _send(client, batch, taken)
    return _said(taken.runs, source, project, reading.bad_line_count, taken.refusals)


@dataclass(slots=True)
class _Batch:
    """One body of POST /runs/batch. `run` records and others are never in one: only between those does order count."""

    held: dict[Operation, list[bytes]] = field(default_factory=dict)
    size: int = 0
    count: int = 0

    def takes(self, operation: Operation, text: bytes) -> bool:
        """One run is taken however large it is."""
        if not self.count:
            return True
        mixed = (operation == "run") != ("run" in self.held)
        return not mixed and self.count < BATCH_RUNS and self.size + len(text) <= BATCH_BYTES

    def add(self, operation: Operation, text: bytes) -> None:
        self.held.setdefault(operation, []).append(text)
        self.size += len(text)
        self.count += 1

    @property
    def body(self) -> bytes:
        parts = (b'"%s": [%s]' % (name.encode(), b",".join(texts)) for name, texts in self.held.items())
        return b"{" + b", ".join(parts) + b"}"


async def _send(client: httpx.AsyncClient, batch: _Batch, taken: _Taken) -> None:
    url = str(client.base_url)
    try:
        answer = await client.post("/runs/batch", content=batch.body, headers=JSON)
    except httpx.HTTPError as error:
        raise UsageError(f"{url} does not take the runs ({error!r}): is `insights up` still there?") from error
    if answer.status_code == TOO_LARGE and batch.count == 1:
        taken.add(0, 1, "it is larger than the gateway takes: stop `insights up` and import again.")
        return
    if answer.is_error:
        raise UsageError(f"{url} does not take the runs ({answer.status_code}): {answer.text[:500]}")
    found: dict[str, Any] = answer.json()
    taken.add(int(found["runs"]), int(found.get("refused", 0)), "".join(found.get("reasons", [])[:1]))


def _batches(runs: Iterable[RawRun], project: str) -> Iterator[_Batch]:
    """In the order of the file."""
    batch = _Batch()
    for run in runs:
        text = _encoded(run, project)
        if not batch.takes(run.operation, text):
            yield batch
            batch = _Batch()
        batch.add(run.operation, text)
    if batch.count:
        yield batch


def _encoded(run: RawRun, project: str) -> bytes:
    """JSON in UTF-8, as long as in the file; only a lone surrogate, which UTF-8 lacks, is escaped."""
    told = run.source_id is not None and run_id(run.source_id) == (run.id, run.source_id)
    fields = run.fields | {"id": run.source_id if told else run.id, "session_name": project}
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")
