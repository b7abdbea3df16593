"""A file of traces as a project of the store: read once, recognised when it comes again."""

import hashlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from insights.progress import Advance, Progress
from shared.ending import now
from shared.errors import UsageError
from shared.ingest import ingest
from shared.jobs import name_uuid
from shared.models import DEFAULT_WORKSPACE, Project
from shared.store import Store
from shared.traces import RawRun, Reading, read

CHUNK = 1 << 20  # bytes
DEVICES = ("/dev/", "/proc/")  # where a shell's <(command) is found, under a number that says nothing


@dataclass(frozen=True)
class Source:
    """What is read, how, and what it is called; `digest` is of its bytes and of how it is read."""

    content: Path | BinaryIO
    name: str
    text: str | None
    id_field: str | None
    digest: str

    @property
    def size(self) -> int:
        """Bytes, as they are stored."""
        return (os.stat(self.content) if isinstance(self.content, Path) else os.fstat(self.content.fileno())).st_size

    def read(self) -> Reading:
        """Its runs, from the first on."""
        if not isinstance(self.content, Path):
            self.content.seek(0)
        return read(self.content, text=self.text, id_field=self.id_field)


@contextmanager
def opened(file: str, text: str | None, id_field: str | None, folder: Path) -> Iterator[Source]:
    """The file. What can be read only once, as standard input (`-`) or a pipe, is kept in the data folder meanwhile."""
    if id_field is not None and text is None:
        raise UsageError("--id names the field of a record's id, and needs --text FIELD for its text.")
    if file == "-" and sys.stdin.isatty():
        raise UsageError("- reads standard input: pipe traces into it, or name a file.")
    path = Path(file)
    name = _name(path)
    if file != "-" and _is_regular(path):
        with _told(path), _open(path) as content:
            digest = _digest(content, text, id_field)
        yield Source(path, name, text, id_field, digest)
        return
    with _spooled(file, name, folder) as spool:
        yield Source(spool, name, text, id_field, _digest(spool, text, id_field))


def _name(path: Path) -> str:
    if str(path) == "-":
        return "standard input"
    return "a pipe" if str(path).startswith(DEVICES) else path.name.encode(errors="replace").decode()


def _is_regular(path: Path) -> bool:
    with _told(path):
        path.stat()
    if path.is_dir():
        raise UsageError(f"{path} is a directory: name a file of traces in it, or - for a pipe.")
    return path.is_file()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): name a file of traces, or - for a pipe."
        raise UsageError(message) from error


@contextmanager
def _spooled(file: str, name: str, folder: Path) -> Iterator[BinaryIO]:
    """A copy without a place in the folder, so that it is gone with this process, however that ends."""
    spool = _unnamed(name, folder)
    with io.BufferedReader(spool) as kept:
        with nullcontext(sys.stdin.buffer) if file == "-" else _open(Path(file)) as stream:
            _copy(stream, spool, name, folder)
        yield kept


def _unnamed(name: str, folder: Path) -> io.FileIO:
    """A file that has no name in the folder; `name` is how messages call it."""
    try:
        file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  its reader closes it
    except OSError as error:
        raise _unkept(name, folder, error) from error
    file.name = name
    return file


def _open(path: Path) -> BinaryIO:
    with _told(path):
        return path.open("rb")


def _copy(stream: BinaryIO, spool: io.FileIO, name: str, folder: Path) -> None:
    try:
        while chunk := stream.read(CHUNK):
            rest = memoryview(chunk)
            while rest:
                rest = rest[spool.write(rest) :]
    except OSError as error:
        raise _unkept(name, folder, error) from error


def _unkept(name: str, folder: Path, error: OSError) -> UsageError:
    where = f"{name} cannot be kept in {folder} while it is read"
    return UsageError(f"{where} ({error.strerror}): make room there, or name another folder with --data DIR.")


def _digest(content: BinaryIO, text: str | None, id_field: str | None) -> str:
    content.seek(0)
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    return hashlib.sha256(json.dumps([digest.hexdigest(), text, id_field]).encode()).hexdigest()


OF_FILES = DEFAULT_WORKSPACE  # where the answers for all files are kept: a file that grew pays for what is new


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
        counts = await import_runs(store, project, source, progress, received_at=project.created_at)
        await store.set_project_source(project.workspace_id, project.id, counts)
    found = await store.project(project.workspace_id, project.id)
    return found or project


async def import_runs(
    store: Store, project: Project, source: Source, progress: Progress, *, received_at: int
) -> dict[str, Any]:
    """Every run of the file into the project, received at that time (µs). UsageError if it holds no trace."""
    reading = source.read()
    with progress.stage("Reading", source.size) as advance:
        counted = _counted(reading, advance)
        found = await ingest(store, project.workspace_id, project.id, counted, received_at=received_at)
    if not found.traces:
        raise UsageError(f"{source.name} holds runs, but no trace: none of them is a root run (one without a parent).")
    return {
        "runs": found.runs,
        "traces": found.traces,
        "duplicates": found.duplicates,
        "orphans": found.orphans,
        "lines": reading.lines,
        "bad_line_count": reading.bad_line_count,
        "bad_lines": list(reading.bad_lines),
    }


def _counted(runs: Iterable[RawRun], advance: Advance) -> Iterator[RawRun]:
    for run in runs:
        advance(run.size)
        yield run
