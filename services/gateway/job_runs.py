"""The runs of a report or of one of its clusters, a page at a time, and clusters by themselves."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse

from services.gateway.access import Reader, StoreDep
from services.gateway.answer import Answer
from services.gateway.jobs import PAGE, Limit, Offset, find_job
from services.gateway.wire_runs import whole_body
from shared import orders
from shared.models import BodyPart, Item, Job, Report, Run
from shared.plain_json import dump
from shared.report import item_rows, places_of, report_of
from shared.store import Store

BODIES: tuple[BodyPart, ...] = ("inputs", "outputs", "error", "extra", "events", "serialized")
AT_ONCE = 20  # rows whose packed bodies are in memory
LARGE = 1_000_000  # bytes of these from which on each row is unpacked alone

routes = APIRouter()


@routes.get("/sessions/{project_id}/insights/{job_id}/runs", response_model=None)
async def list_job_runs(
    project_id: UUID,
    job_id: UUID,
    caller: Reader,
    store: StoreDep,
    limit: Limit = PAGE,
    offset: Offset = 0,
    cluster_id: UUID | None = None,
    attribute_sort_key: Annotated[str | None, Query(max_length=200)] = None,
    attribute_sort_order: Literal["asc", "desc"] = "asc",
) -> StreamingResponse:
    """`offset` in the answer is that of the next page, or null. None of a job that has not ended well.

    Ordered as the report is, category by category with the most typical first, or by an attribute: those without a
    value come last. Sent row by row, since a run may be large.
    """
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    report = await report_of(store, job)
    first, count = _range(report, cluster_id)
    end = min(offset + limit, count)
    places: Sequence[int] = range(first + min(offset, count), first + end)
    if attribute_sort_key is not None and report is not None:
        descending = attribute_sort_order == "desc"
        body = await _order(store, job, report, attribute_sort_key)
        places = orders.unpack(body, first, count, descending=descending)[offset:end].tolist()
    rows = _rows(store, report, await _items(store, job, places))
    return StreamingResponse(_texts(rows, end if end < count else None), media_type="application/json")


@routes.get("/sessions/{project_id}/insights/{job_id}/clusters/{cluster_id}", response_model=None)
async def read_cluster(project_id: UUID, job_id: UUID, cluster_id: UUID, caller: Reader, store: StoreDep) -> Answer:
    report = await report_of(store, await find_job(store, caller.workspace_id, project_id, job_id))
    clusters = report.clusters if report else ()
    found = next((one for one in clusters if one.id == str(cluster_id)), None)
    if found is None:
        raise _no_cluster(cluster_id)
    return Answer(
        {
            "id": found.id,
            "parent_id": found.parent_id,
            "num_children": sum(one.parent_id == found.id for one in clusters),
            "level": found.level,
            "name": found.name,
            "description": found.description,
        }
    )


def _range(report: Report | None, cluster_id: UUID | None) -> tuple[int, int]:
    """The first place and how many. HTTPException 404 where there is no such cluster."""
    if cluster_id is not None:
        found = places_of(report, str(cluster_id)) if report else None
        if found is None:
            raise _no_cluster(cluster_id)
        return found
    return 0, sum(one.num_runs for one in report.clusters if one.level == 0) if report else 0


def _no_cluster(cluster_id: UUID) -> HTTPException:
    return HTTPException(404, f"The report has no cluster {cluster_id}.")


async def _order(store: Store, job: Job, report: Report, name: str) -> bytes:
    """HTTPException 422 where the job has no such attribute."""
    known = job.config.attribute_schemas
    body = await store.order(job.workspace_id, job.id, report.fence, name) if name in known else None
    if body is None:
        names = ", ".join(known) or "none"
        raise HTTPException(422, f"attribute_sort_key: the job has no such attribute. It has: {names}.")
    return body


async def _items(store: Store, job: Job, places: Sequence[int]) -> list[Item]:
    """In the order of `places`."""
    found = {item.place: item for item in await store.items_at(job.workspace_id, job.id, places)}
    return [found[place] for place in places if place in found]


async def _rows(store: Store, report: Report | None, items: Sequence[Item]) -> AsyncIterator[str]:
    """LangSmith's run with what the report knows of it, as JSON."""
    names = {one.id: one.name for one in report.clusters} if report else {}
    for start in range(0, len(items), AT_ONCE):
        part = items[start : start + AT_ONCE]
        packed = await store.bodies(part[0].workspace_id, [item.run_ids[-1] for item in part], BODIES)
        rows = [(row, run, packed.get(row["run_id"], {})) for row, run in await item_rows(store, part, names)]
        large = sum(len(body) for one in packed.values() for body in one.values()) > LARGE
        for some in ([row] for row in rows) if large else [rows]:
            yield await asyncio.to_thread(_dumped, some)


def _dumped(rows: Iterable[tuple[Mapping[str, Any], Run | None, Mapping[BodyPart, bytes]]]) -> str:
    """Of at least one row."""
    whole = ({"id": row["run_id"], **(whole_body(run, packed) if run else {}), **row} for row, run, packed in rows)
    return ",\n".join(map(dump, whole))


async def _texts(rows: AsyncIterator[str], following: int | None) -> AsyncIterator[str]:
    opening = f'{{"offset": {dump(following)}, "runs": ['
    async for row in rows:
        yield opening + row
        opening = ",\n"
    yield f"{opening}]}}" if opening.startswith("{") else "]}"
