"""A file of traces as a project of the store: read once, recognised when it comes again."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from insights.progress import Advance, Progress
from shared.ending import now
from shared.errors import UsageError
from shared.ingest import ingest
from shared.jobs import name_uuid
from shared.models import DEFAULT_WORKSPACE, Project
from shared.store import Store
from shared.traces import RawRun, read


@dataclass(frozen=True)
class Source:
    """A file on disk, how to read it, and what it is called; `digest` is of its bytes and of how it is read."""

    path: Path
    name: str
    text: str | None
    id_field: str | None
    digest: str


@contextmanager
def opened(file: str, text: str | None, id_field: str | None, folder: Path) -> Iterator[Source]:
    """The file, or standard input (`-`) spooled to the data folder while this block runs."""
    if id_field is not None and text is None:
        raise UsageError("--id names the field of a record's id, and needs --text FIELD for its text.")
    if file != "-":
        path = Path(file)
        yield Source(path, path.name, text, id_field, _digest(path, text, id_field))
        return
    if sys.stdin.isatty():
        raise UsageError("- reads standard input: pipe traces into it, or name a file.")
    with NamedTemporaryFile(dir=folder, prefix="stdin-") as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        path = Path(spool.name)
        yield Source(path, "standard input", text, id_field, _digest(path, text, id_field))


def _digest(path: Path, text: str | None, id_field: str | None) -> str:
    try:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): name a file of traces, or - for a pipe."
        ) from error
    return hashlib.sha256(json.dumps([content, text, id_field]).encode()).hexdigest()


def own_workspace(source: Source) -> str:
    """Of a file alone: in a shared one, a later file that holds the same runs would take them away from this one."""
    return name_uuid("workspace", source.digest)


async def load(store: Store, source: Source, progress: Progress, workspace_id: str = DEFAULT_WORKSPACE) -> Project:
    """The project of this file, imported unless it was already; a killed import is made again from the start.

    `Project.source` has the counts of the import, as the report states them.
    """
    project_id = name_uuid("file", source.digest)
    made = Project(workspace_id=workspace_id, id=project_id, name=source.name, created_at=now())
    project = await store.insert_project(made)
    if not project.source:
        counts = await import_runs(store, project, source, progress)
        await store.set_project_source(project.workspace_id, project.id, counts)
    found = await store.project(project.workspace_id, project.id)
    return found or project


async def import_runs(store: Store, project: Project, source: Source, progress: Progress) -> dict[str, object]:
    """Every run of the file into the project. UsageError if it holds no trace."""
    reading = read(source.path, text=source.text, id_field=source.id_field)
    with progress.stage("Reading", source.path.stat().st_size) as advance:
        found = await ingest(
            store, project.workspace_id, project.id, _counted(reading, advance), received_at=project.created_at
        )
    if not found.traces:
        raise UsageError(f"{source.path} holds runs, but no trace: none of them is a root run (one without a parent).")
    return {
        "runs": found.runs,
        "traces": found.traces,
        "duplicates": found.duplicates,
        "lines": reading.lines,
        "bad_line_count": reading.bad_line_count,
        "bad_lines": list(reading.bad_lines),
    }


def _counted(runs: Iterable[RawRun], advance: Advance) -> Iterator[RawRun]:
    for run in runs:
        advance(run.size)
        yield run
