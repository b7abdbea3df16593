"""`insights import`: a file's runs into a project, in the store or through a running gateway."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

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
from shared.traces import RawRun, read

BATCH_BYTES = 4_000_000
BATCH_RUNS = 500


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
            counts = await import_runs(store, project, source, progress)
    return _said(counts["runs"], source, name, counts["bad_line_count"])


def _said(runs: object, source: Source, project: str, bad: object) -> str:
    lines = f" {bad:,} bad lines were left out." if bad else ""
    return f"{runs:,} runs of {source.name} are in project {project}.{lines}"


async def _through_gateway(source: Source, project: str, url: str) -> str:
    reading = read(source.path, text=source.text, id_field=source.id_field)
    count = 0
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        for batch in _batches(reading, project):
            try:
                answer = await client.post("/runs/batch", content=batch, headers={"Content-Type": "application/json"})
            except httpx.HTTPError as error:
                raise UsageError(f"{url} does not take the runs ({error!r}): is `insights up` still there?") from error
            if answer.is_error:
                raise UsageError(f"{url} does not take the runs ({answer.status_code}): {answer.text[:500]}")
            count += int(answer.json()["runs"])
    return _said(count, source, project, reading.bad_line_count)


def _batches(runs: Iterable[RawRun], project: str) -> Iterator[bytes]:
    """Bodies of POST /runs/batch, in the order of the file."""
    held: dict[str, list[str]] = {}
    size = 0
    for run in runs:
        operation = "patch" if run.operation == "patch" else "post"
        text = json.dumps(run.fields | {"id": run.source_id or run.id, "session_name": project})
        held.setdefault(operation, []).append(text)
        size += len(text)
        if size > BATCH_BYTES or sum(map(len, held.values())) >= BATCH_RUNS:
            yield _body(held)
            held, size = {}, 0
    if held:
        yield _body(held)


def _body(held: dict[str, list[str]]) -> bytes:
    parts = (f'"{operation}": [{",".join(texts)}]' for operation, texts in held.items())
    return ("{" + ", ".join(parts) + "}").encode("ascii")
