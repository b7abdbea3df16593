"""`insights export`: the runs of a project, or what a report knows of each of its traces, as a file."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from insights.output import output
from insights.process import opened_store
from services.gateway.wire_runs import whole_body
from shared.config import Settings
from shared.errors import UsageError
from shared.models import DEFAULT_WORKSPACE, BodyPart, Job, Project, Run
from shared.plain_json import dump
from shared.report import item_rows, report_of
from shared.store import Store
from shared.wording import clean

Format = Literal["jsonl", "csv"]
Row = Mapping[str, Any]
PAGE = 100
BODIES: tuple[BodyPart, ...] = ("inputs", "outputs", "error", "extra", "events", "serialized")
RUN_COLUMNS = (
    "id", "trace_id", "parent_run_id", "thread_id", "name", "run_type", "start_time", "end_time", "status", "error",
    "prompt_tokens", "completion_tokens", "total_tokens", "total_cost", "tags", "metadata", "inputs", "outputs",
)  # fmt: skip
ITEM_COLUMNS = ("run_id", "trace_id", "thread_id", "category", "subcategory", "summary", "confidence", "unusual")
_FORMULA = tuple("=+-@＝＋－＠\t\r\n")  # how a cell begins that a spreadsheet would compute


async def export(
    project: str | None, job_id: str | None, kind: Format, into: Path | None, settings: Settings, folder: Path
) -> int:
    """How many rows were written. It only reads, so that `insights up` may run meanwhile. UsageError says what is
    wrong with the project or the job."""
    async with opened_store(settings, folder) as store:
        if job_id is not None:
            job = await _job(store, job_id)
            columns = (*ITEM_COLUMNS, *(f"attributes.{name}" for name in job.config.attribute_schemas))
            return await _write(_items(store, job), columns, kind, into)
        found = await _project(store, project or "")
        return await _write(_runs(store, found), RUN_COLUMNS, kind, into)


async def _job(store: Store, job_id: str) -> Job:
    job = await store.job(DEFAULT_WORKSPACE, job_id)
    if job is None:
        raise UsageError(f"There is no job {job_id}: its id is in the address of its report.")
    if await report_of(store, job) is None:
        why = f": {job.error}" if job.error else ""
        raise UsageError(f"Job {job_id} has no report, it is {job.state.value}{why}: wait for it, or ask again.")
    return job


async def _project(store: Store, name: str) -> Project:
    found = await store.project_named(DEFAULT_WORKSPACE, name) or await store.project(DEFAULT_WORKSPACE, name)
    if found is None:
        raise UsageError(f"There is no project {name!r}, by name or by id: is --data the folder of `insights up`?")
    return found


async def _runs(store: Store, project: Project) -> AsyncIterator[Row]:
    """Trace by trace, in the order of the traces' ids; a run whose trace has no root is not among them."""
    after = None
    while True:
        roots = await store.root_runs(project.workspace_id, project.id, after=after, limit=PAGE)
        runs = await store.trace_runs(project.workspace_id, [root.trace_id for root in roots])
        for start in range(0, len(runs), PAGE):
            for row in await _with_bodies(store, runs[start : start + PAGE]):
                yield row
        if len(roots) < PAGE:
            return
        after = roots[-1].id


async def _with_bodies(store: Store, runs: Sequence[Run]) -> list[Row]:
    packed = await store.bodies(runs[0].workspace_id, [run.id for run in runs], BODIES)
    return [whole_body(run, packed.get(run.id, {})) for run in runs]


async def _items(store: Store, job: Job) -> AsyncIterator[Row]:
    """In the order of the report."""
    report = await report_of(store, job)
    clusters = report.clusters if report else ()
    names = {one.id: one.name for one in clusters}
    count = sum(one.num_runs for one in clusters if one.level == 0)
    for start in range(0, count, PAGE):
        items = await store.items_at(job.workspace_id, job.id, range(start, start + PAGE))
        for row, _ in await item_rows(store, items, names):
            path = [names[one] for one in row["cluster_ids"]]
            known = {"category": path[-1] if path else None, "subcategory": path[0] if path else None}
            yield {**row, **known, **{f"attributes.{name}": one for name, one in row["attributes"].items()}}


async def _write(rows: AsyncIterator[Row], columns: Sequence[str], kind: Format, into: Path | None) -> int:
    count = 0
    with output(into, "utf-8") as write:
        if kind == "csv":
            write(_line(columns))
        async for row in rows:
            count += 1
            if kind == "csv":
                write(_line([row.get(name) for name in columns]))
            else:
                write(dump({name: one for name, one in row.items() if not name.startswith("attributes.")}) + "\n")
    return count


def _line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(value) for value in values])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A number as it is, a list or an object as JSON; a text that a spreadsheet would compute begins with '."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else dump(value)
    plain = clean(text).replace("\x00", "\ufffd")
    return f"'{plain}" if plain.startswith(_FORMULA) else plain
