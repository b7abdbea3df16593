"""The report as one JSON file: what LangSmith's clients know of a job, with coverage, engine and every item.

Items are read from the store in pages and written as they come. The file appears whole or not at all. Same job, same
bytes: lists are in a fixed order and so are the keys of what comes from outside.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from insights.output import output
from services.aggregator.coverage import coverage
from shared.bill import NO_BILL, Bill
from shared.models import Item, ItemState, Job, Project, Report
from shared.plain_json import dump
from shared.report import clusters_of, head, item_rows, ordered, report_of
from shared.store import Store

PAGE = 1_000
LISTED = 1_000  # failed items and bad lines; the counts beside them are of all


async def write_report(path: Path | None, store: Store, job: Job, *, project: Project, bill: Bill = NO_BILL) -> None:
    """To `path`, replaced in one step, or to standard output where it is None. UsageError if it can't be written."""
    with output(path) as write:
        async for text in _texts(store, job, project, bill):
            await asyncio.to_thread(write, text)


async def _texts(store: Store, job: Job, project: Project, bill: Bill) -> AsyncIterator[str]:
    """The document in pieces: a key, or a page of items, at a time."""
    report = await report_of(store, job)
    clusters = clusters_of(report)
    opening = "{\n"
    for key, value in head(job, report).items():
        yield f"{opening}{dump(key)}: {dump(value)}"
        opening = ",\n"
    yield f'{opening}"runs": ['
    opening = "\n"
    async for page in _pages(store, job):
        rows = await item_rows(store, page, {one.id: one.name for one in clusters})
        yield opening + ",\n".join(dump(row) for row, _ in rows)
        opening = ",\n"
    yield "\n]"
    tail = await _tail(store, job, project, report)
    for key, value in (tail | bill.document()).items():
        yield f",\n{dump(key)}: {dump(value)}"
    yield "\n}\n"


async def _tail(store: Store, job: Job, project: Project, report: Report | None) -> dict[str, Any]:
    return {
        "coverage": await _coverage(store, job, project, report),
        "engine": job.config.engine,
        "seed": job.config.seed,
        "notes": list(report.notes) if report else [],
        "trust": ordered(report.trust) if report else {},
        "stats": ordered(report.stats) if report else {},
    }


async def _pages(store: Store, job: Job) -> AsyncIterator[list[Item]]:
    after = None
    while page := await store.items(job.workspace_id, job.id, states=(ItemState.DONE,), after=after, limit=PAGE):
        yield page
        if len(page) < PAGE:
            return
        after = page[-1].id


async def _coverage(store: Store, job: Job, project: Project, report: Report | None) -> dict[str, Any]:
    """What came of the traces. A project that is not of a file has no lines: their count is None."""
    known = report.coverage if report else await coverage(store, job)
    lines = project.source.get("bad_lines") or []
    return {
        "requested": known.get("requested"),
        "matched": known.get("matched"),
        "unfinished": known.get("unfinished"),
        "sampled": known.get("sampled"),
        "summarized": known.get("summarized"),
        "failed_count": known.get("failed_count"),
        "failed": [_pick(one, "run_id", "reason") for one in (known.get("failed") or [])[:LISTED]],
        "left_out": ordered(known.get("left_out") or {}),
        "bad_line_count": project.source.get("bad_line_count"),
        "bad_lines": [_pick(one, "line", "reason") for one in lines[:LISTED]],
    }


def _pick(found: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: found.get(key) for key in keys}
