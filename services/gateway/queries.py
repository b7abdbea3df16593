"""Reading runs: pages of those that match, one with what is below it, and the figures of many."""

import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from services.gateway.access import Reader, StoreDep
from services.gateway.answer import Answer
from services.gateway.bodies import Time, read_json
from services.gateway.rows import rendered
from services.gateway.wire_runs import parts_of, run_body
from shared.filters import Filter
from shared.filters.nodes import And, Compare, Node, Search
from shared.job_config import sentence
from shared.matching import Criteria, Page, find_page
from shared.models import Run
from shared.run_stats import RunStats, run_stats
from shared.store import Store
from shared.store.documents import encode
from shared.store.queries import Place, Wanted, place_of
from shared.traces.identity import run_id

PAGE = 100


def _listed(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else [value]


def _id(value: Any) -> str:
    """A client may ask by the id that it sent, also where that was no UUID."""
    known = run_id(value)
    if known is None:
        raise ValueError("an id is a text")
    return known[0]


Id = Annotated[str, BeforeValidator(_id), WithJsonSchema({"type": "string", "minLength": 1})]
Ids = Annotated[list[Id], BeforeValidator(_listed), Field(max_length=1_000)]
Sessions = Annotated[list[Id], BeforeValidator(_listed), Field(max_length=100)]
FilterText = Annotated[str, Field(max_length=20_000)]


class RunsQuery(BaseModel):
    """What LangSmith's clients send; null is as if it were left out."""

    model_config = ConfigDict(extra="ignore")

    session: Sessions | None = None
    id: Ids | None = None
    trace: Id | None = None
    parent_run: Id | None = None
    run_type: FilterText | None = None
    reference_example: list[Any] | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    error: bool | None = None
    is_root: bool | None = None
    execution_order: int | None = None
    filter: FilterText | None = None
    trace_filter: FilterText | None = None
    tree_filter: FilterText | None = None
    query: FilterText | None = None
    select: Annotated[list[str], Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    cursor: FilterText | None = None
    order: Literal["asc", "desc"] | None = None

    def criteria(self) -> Criteria:
        """Raises FilterError."""
        read = Criteria.read(self.filter, self.trace_filter, self.tree_filter)
        nodes = list(self._nodes())
        if not nodes:
            return read
        nodes += [read.filter.root] if read.filter else []
        return Criteria(Filter(And(tuple(nodes))), read.trace_filter, read.tree_filter)

    def _nodes(self) -> Sequence[Node]:
        """What stands outside of `filter`, in its language. A window is one of start times."""
        roots = True if self.execution_order == 1 else self.is_root
        given: list[tuple[str, str, Any]] = [
            ("eq", "is_root", roots),
            ("eq", "run_type", self.run_type),
            ("eq", "parent_run_id", self.parent_run),
            ("gte", "start_time", self.start_time),
            ("lte", "start_time", self.end_time),
        ]
        nodes: list[Node] = [Compare(name, field, value) for name, field, value in given if value is not None]
        if self.error is not None:
            nodes.append(Compare("eq" if self.error else "neq", "status", "error"))
        if self.query and self.query.strip():
            nodes.append(Search(None, self.query))
        return nodes


routes = APIRouter()


@routes.post("/runs/query")
async def query_runs(request: Request, caller: Reader, store: StoreDep) -> Response:
    """Pages of at most 100; a page may end earlier, where it grows too large, and its cursor goes on."""
    query = await read_query(request)
    page = await matching(store, caller.workspace_id, query)
    select = query.select
    rows, last = await rendered(
        store,
        caller,
        page.runs,
        lambda run, bodies, files: run_body(run, bodies, select, s3_urls=files),
        parts_of(select),
        files=select is None or "s3_urls" in select,
    )
    following = last or page.next
    cursors = {"next": None if following is None else cursor_of(following), "prev": None}
    body = b'{"runs":[%s],"cursors":%s}' % (b",".join(rows), encode(cursors).encode())
    return Response(body, media_type="application/json")


@routes.post("/runs/stats")
async def read_stats(request: Request, caller: Reader, store: StoreDep) -> Response:
    query = await read_query(request)
    if query.id is not None:
        stats = RunStats()
        stats.add((await store.runs(caller.workspace_id, query.id)).values())
        return Answer(stats.body())
    places = [] if query.reference_example else await wanted(store, caller.workspace_id, query)
    return Answer((await run_stats(store, places, query.criteria())).body())


@routes.get("/runs/{run_id}")
async def read_run(run_id: Id, caller: Reader, store: StoreDep, children: bool = False) -> Response:
    """With `children` also the runs below it, in order, each with its parent's id and without its bodies."""
    run = (await store.runs(caller.workspace_id, [run_id])).get(run_id)
    if run is None:
        raise HTTPException(404, f"There is no run {run_id}: it may still be on its way.")
    more: dict[str, Any] = {}
    if children:
        below = _below(run, await store.trace_runs(caller.workspace_id, [run.trace_id]))
        more["child_run_ids"] = [child.id for child in below]
        more["child_runs"] = [run_body(child, {}) for child in below]
    [row], _ = await rendered(
        store,
        caller,
        [run],
        lambda run, bodies, files: run_body(run, bodies, s3_urls=files, **more),
        parts_of(None),
        files=True,
    )
    return Response(row, media_type="application/json")


async def read_query(request: Request) -> RunsQuery:
    try:
        return RunsQuery.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error


async def matching(store: Store, workspace_id: str, query: RunsQuery) -> Page:
    """The page that the query asks for. Ids make it ignore all else."""
    newest_first = query.order != "asc"
    after = place_at(query.cursor) if query.cursor else None
    limit = min(query.limit or PAGE, PAGE)
    if query.id is not None:
        found = sorted((await store.runs(workspace_id, query.id)).values(), key=place_of, reverse=newest_first)
        past = [run for run in found if after is None or _is_past(place_of(run), after, newest_first)]
        return Page(past[:limit], place_of(past[limit - 1]) if len(past) > limit else None)
    if query.reference_example:  # no run is of a dataset
        return Page([], None)
    places = await wanted(store, workspace_id, query)
    return await find_page(store, places, query.criteria(), after=after, newest_first=newest_first, limit=limit)


def _is_past(place: Place, after: Place, newest_first: bool) -> bool:
    return place < after if newest_first else place > after


async def wanted(store: Store, workspace_id: str, query: RunsQuery) -> list[Wanted]:
    """Where to look. HTTPException 422 where the query says nothing of it."""
    trace = query.trace
    if trace is None and query.parent_run is not None:
        parent = (await store.runs(workspace_id, [query.parent_run])).get(query.parent_run)
        trace = parent.trace_id if parent else (None if query.session else query.parent_run)
    if query.session:
        return [Wanted(workspace_id, project_id, trace) for project_id in dict.fromkeys(query.session)]
    if trace is None:
        raise HTTPException(422, "Say where to look: give session, id, trace or parent_run.")
    return [Wanted(workspace_id, trace_id=trace)]


def _below(run: Run, trace: Sequence[Run]) -> list[Run]:
    """Those of the trace that lie inside the run, however deep, in the trace's order."""
    children: dict[str | None, list[Run]] = {}
    for one in trace:
        children.setdefault(one.parent_run_id, []).append(one)
    inside, waiting = {run.id}, [run.id]
    while waiting:
        new = [child.id for child in children.get(waiting.pop(), []) if child.id not in inside]
        inside.update(new)
        waiting += new
    return [one for one in trace if one.id in inside and one.id != run.id]


def cursor_of(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_at(cursor: str) -> Place:
    """HTTPException 422 where it is none of ours."""
    try:
        time, last = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError, RecursionError):
        time = last = None
    if isinstance(time, bool) or not isinstance(time, int) or not isinstance(last, str) or not -(2**63) <= time < 2**63:
        raise HTTPException(422, "This cursor is none of ours: take `cursors.next` as it came.")
    return time, last
