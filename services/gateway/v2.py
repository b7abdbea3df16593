"""The reads of LangSmith's newer API: runs, traces and threads of a window, by default the last day."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.access import Caller, Reader, StoreDep
from services.gateway.answer import Answer
from services.gateway.bodies import Time, read_json
from services.gateway.queries import FilterText, Id, Ids, RunsQuery, Sessions, cursor_of, place_at
from services.gateway.rows import Row, rendered
from services.gateway.wire_v2 import parts_of, run_item, thread_item, trace_item
from shared.bodies import unpack
from shared.ending import now
from shared.filters import Filter
from shared.filters.nodes import And, Compare, Node
from shared.job_config import sentence
from shared.matching import Criteria, Page, find_page
from shared.models import BodyPart, Run
from shared.store import Store
from shared.store.queries import Place, Wanted, place_of

DAY = 86_400_000_000  # microseconds
TURNS = 1_000  # of a thread: older ones are not counted
SEEN = 10_000  # traces that one page of threads looks at

routes = APIRouter()


class V2Query(BaseModel):
    model_config = ConfigDict(extra="ignore")

    project_ids: Sessions | None = None
    project_id: Id | None = None
    ids: Ids | None = None
    trace_ids: Ids | None = None
    trace_id: Id | None = None
    run_type: FilterText | None = None
    is_root: bool | None = None
    has_error: bool | None = None
    filter: FilterText | None = None
    trace_filter: FilterText | None = None
    tree_filter: FilterText | None = None
    min_start_time: Time | None = None
    max_start_time: Time | None = None
    selects: Annotated[list[str], Field(max_length=200)] | None = None
    page_size: Annotated[int, Field(ge=1, le=1_000)] | None = None
    cursor: FilterText | None = None
    ai_search: str | None = None
    sem_filter: str | None = None

    @property
    def projects(self) -> list[str]:
        found = self.project_ids or ([self.project_id] if self.project_id else [])
        if not found:
            raise HTTPException(422, "Say where to look: give project_ids or project_id.")
        return found

    @property
    def names(self) -> list[str]:
        return [name.lower() for name in self.selects or ()]

    def criteria(self, *, roots: bool | None) -> Criteria:
        end = self.max_start_time
        start = (now() if end is None else end) - DAY if self.min_start_time is None else self.min_start_time
        run_type = self.run_type and self.run_type.lower()
        return RunsQuery.model_construct(
            is_root=roots, run_type=run_type, error=self.has_error, filter=self.filter, trace_filter=self.trace_filter,
            tree_filter=self.tree_filter, start_time=start, end_time=None if end is None else end - 1,
        ).criteria()  # fmt: skip


@routes.post("/runs/query")
async def query_runs(request: Request, caller: Reader, store: StoreDep) -> Response:
    query = await _read(request)
    page = await _page(store, caller, query, query.criteria(roots=query.is_root), query.ids, query.page_size or 100)
    row: Row = lambda run, bodies, files: run_item(run, bodies, query.names, files)  # noqa: E731  it needs the type
    return await _answer(store, caller, query, page, row)


@routes.post("/traces/query")
async def query_traces(request: Request, caller: Reader, store: StoreDep) -> Response:
    """Traces by their root runs: here `trace_filter` is the filter."""
    query = await _read(request)
    criteria = query.model_copy(update={"filter": query.trace_filter, "trace_filter": None}).criteria(roots=True)
    page = await _page(store, caller, query, criteria, query.trace_ids, min(query.page_size or 20, 100))
    row: Row = lambda run, bodies, files: trace_item(run, bodies, query.names, files)  # noqa: E731  it needs the type
    return await _answer(store, caller, query, page, row)


@routes.post("/threads/query")
async def query_threads(request: Request, caller: Reader, store: StoreDep) -> Response:
    """Threads by their latest trace, newest first. A page may be shorter, and its cursor goes on."""
    query = await _read(request)
    wanted = Wanted(caller.workspace_id, query.projects[0])
    criteria = query.criteria(roots=True)
    after = place_at(query.cursor) if query.cursor else None
    limit = min(query.page_size or 20, 100)
    items: list[Any] = []
    seen: set[str | None] = {None}
    looked = 0
    while True:
        page = await find_page(store, [wanted], criteria, after=after)
        for root in page.runs:
            turns = [] if root.thread_id in seen else await _turns(store, wanted, criteria, root)
            seen.add(root.thread_id)
            if turns and turns[0].id == root.id:  # a thread is listed where its latest trace is
                items.append(await _thread(store, caller, turns[::-1]))
            if len(items) == limit:
                return Answer({"items": items, "next_cursor": cursor_of(place_of(root))})
        looked, after = looked + len(page.runs), page.next
        if after is None or (items and looked >= SEEN):
            return Answer({"items": items, "next_cursor": cursor_of(after) if after else None})


async def _turns(store: Store, wanted: Wanted, criteria: Criteria, root: Run) -> list[Run]:
    """The root runs of its thread that match, newest first."""
    found: list[Node] = [Compare("eq", "thread_id", root.thread_id)]
    found += [criteria.filter.root] if criteria.filter else []
    of_thread = Criteria(Filter(And(tuple(found))), criteria.trace_filter, criteria.tree_filter)
    return (await find_page(store, [wanted], of_thread, limit=TURNS)).runs


async def _thread(store: Store, caller: Caller, turns: Sequence[Run]) -> dict[str, Any]:
    ends = {turns[0].id, turns[-1].id}
    packed = await store.bodies(caller.workspace_id, ends, ["inputs", "outputs"])
    first, last = (_values(packed.get(turn.id, {})) for turn in (turns[0], turns[-1]))
    return thread_item(turns, first, last)


def _values(packed: dict[BodyPart, bytes]) -> dict[BodyPart, Any]:
    return {part: unpack(body) for part, body in packed.items()}


async def _page(
    store: Store, caller: Caller, query: V2Query, criteria: Criteria, ids: Sequence[str] | None, limit: int
) -> Page:
    after = place_at(query.cursor) if query.cursor else None
    if ids is not None:
        found = (await store.runs(caller.workspace_id, ids)).values()
        here = [run for run in found if run.project_id in query.projects]
        newest = sorted(await criteria.select(store, caller.workspace_id, here), key=place_of, reverse=True)
        left = [run for run in newest if after is None or place_of(run) < after]
        return Page(left[:limit], place_of(left[limit - 1]) if len(left) > limit else None)
    wanted = [Wanted(caller.workspace_id, project_id, query.trace_id) for project_id in dict.fromkeys(query.projects)]
    return await find_page(store, wanted, criteria, after=after, limit=limit)


async def _answer(store: Store, caller: Caller, query: V2Query, page: Page, row: Row) -> Response:
    files = "attachments" in query.names
    rows, last = await rendered(store, caller, page.runs, row, parts_of(query.names), files=files)
    following: Place | None = last or page.next
    cursor = b"null" if following is None else b'"%s"' % cursor_of(following).encode()
    body = b'{"items":[%s],"next_cursor":%s}' % (b",".join(rows), cursor)
    return Response(body, media_type="application/json")


async def _read(request: Request) -> V2Query:
    try:
        query = V2Query.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    if query.ai_search or query.sem_filter:
        raise HTTPException(422, 'ai_search and sem_filter are not served: write a filter, or search("words").')
    return query
