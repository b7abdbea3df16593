"""The product's own way from rows to features and categories, so that a bench measures what a user gets."""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insights.analyze import find_or_submit
from insights.process import ROUTERS, running
from insights.progress import Progress
from insights.source import load, opened
from shared.config import Settings
from shared.ending import UNFINISHED
from shared.job_config import JobConfig
from shared.models import Item, ItemState, Job, JobState, Report
from shared.report import report_of

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Analysed:
    """A finished job, its report, and its items in the order of the rows."""

    job: Job
    report: Report
    items: list[Item]


async def analysed(
    rows: Sequence[dict[str, Any]], config: JobConfig, *, text: str | None = None, id_field: str | None = None
) -> Analysed:
    """What `insights analyze` makes of these rows, whose `id` names them."""
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as place, ExitStack() as stack:
        folder = Path(place)
        file = folder / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        source = stack.enter_context(opened(str(file), text, id_field, folder))
        progress = stack.enter_context(Progress())
        async with running(tuple(ROUTERS), Settings.load(), folder) as process:
            project = await load(process.store, source, progress)
            job = await find_or_submit(process, project, config)
            while job.state in UNFINISHED:
                await asyncio.sleep(0.05)
                job = await process.store.job(job.workspace_id, job.id) or job
            if job.state is not JobState.SUCCESS:
                raise RuntimeError(f"the job of a bench failed: {job.error}")
            report = await report_of(process.store, job)
            items = await _items(process.store, job)
    assert report is not None
    by_source = {item.source_id or item.run_ids[-1]: item for item in items}
    return Analysed(job, report, [by_source[row["id"]] for row in rows if row["id"] in by_source])


async def _items(store: Any, job: Job) -> list[Item]:
    found: list[Item] = []
    after = None
    while page := await store.items(
        job.workspace_id, job.id, states={ItemState.DONE}, after=after, limit=PAGE, features=True
    ):
        found += page
        after = page[-1].id
    return found
