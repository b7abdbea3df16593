"""Finding runs by filters, on SQLite and on MongoDB's protocol alike: what is found is what the predicate says."""

import contextlib
import itertools
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.bodies import pack, unpack
from shared.filters import Filter
from shared.filters.entries import FAMILIES, Condition, Entry
from shared.filters.nodes import And, Compare, HasKey, HasTag, In, Like, Node, Not, Or, Search
from shared.matching import Count, Criteria, count_matching, find_page
from shared.models import Feedback, Run, StoredRun
from shared.store import Store, connect
from shared.store.queries import TEXT_KEY, Wanted, place_of

W = "w"
LONG = "é" * TEXT_KEY
NAMES = ["a", "b", "half \ud83d", "NUL \x00", LONG + "1", LONG + "2"]
STATES = ["success", "error", "pending", None]
EQUAL = st.sampled_from(["eq", "neq"])
IDS = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(8)]
WORDS = st.sampled_from(["a", "b", "Refund please", "12", ""])
TIMES = st.integers(0, 6)


def run(run_id: str, **fields: Any) -> Run:
    return Run(**{"workspace_id": W, "id": run_id, "project_id": "p", "trace_id": run_id, "received_at": 5, **fields})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def stored_runs(draw: st.DrawFn) -> StoredRun:
    run_id = draw(st.sampled_from(IDS))
    trace = draw(st.sampled_from(IDS[:2]))
    run = Run(
        workspace_id=W,
        id=run_id,
        project_id=draw(st.sampled_from("pq")),
        trace_id=trace,
        parent_run_id=None if run_id == trace else trace,
        name=draw(st.sampled_from(NAMES)),
        run_type=draw(st.sampled_from(["llm", "tool"])),
        status=draw(st.sampled_from(STATES)),
        thread_id=draw(st.sampled_from(["t", None])),
        start_time=draw(st.none() | TIMES),
        end_time=draw(st.none() | TIMES),
        received_at=draw(TIMES),
        tags=tuple(draw(st.lists(WORDS, max_size=1))),
        metadata=draw(st.dictionaries(st.sampled_from("ab"), JSON, max_size=2)),
        feedback=draw(st.dictionaries(st.just("stars"), st.builds(Feedback, n=st.just(1), avg=st.none() | TIMES))),
    )
    return StoredRun(run, {"inputs": pack(draw(JSON)), "outputs": pack(draw(JSON))})


def _conditions(family: Any) -> st.SearchStrategy[Node]:
    numbers: st.SearchStrategy[Any] = TIMES if family.value_kind == "number" else WORDS | TIMES | st.booleans()
    keys = st.builds(Condition, st.just(family.key), EQUAL, st.sampled_from(["a", "stars", "a.b"]))
    values = st.builds(Condition, st.just(family.value), st.sampled_from(["eq", "neq"]), numbers) | st.builds(
        Condition, st.just(family.value), st.sampled_from(["gt", "lte"]), TIMES
    )
    one = st.builds(lambda condition: (condition,), keys | values)
    return st.builds(Entry, st.just(family), one | st.tuples(keys, values))


LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.builds(Compare, EQUAL, st.just("name"), st.sampled_from(NAMES)),
    st.builds(Compare, EQUAL, st.just("status"), st.sampled_from(STATES)),
    st.builds(Compare, EQUAL, st.just("thread_id"), st.sampled_from(["t", "u", None])),
    st.builds(Compare, EQUAL, st.just("is_root"), st.booleans()),
    st.builds(Compare, EQUAL, st.just("trace_id"), st.sampled_from(IDS[:3])),
    st.builds(Compare, st.sampled_from(["eq", "gt", "gte", "lt", "lte", "neq"]), st.just("start_time"), TIMES),
    st.builds(In, st.just("status"), st.lists(st.sampled_from(STATES), max_size=2).map(tuple)),
    st.builds(In, st.just("name"), st.lists(st.sampled_from(NAMES), max_size=2).map(tuple)),
    st.builds(Like, st.just("name"), st.sampled_from(["a", "%é_", "%"])),
    st.builds(HasTag, WORDS),
    st.builds(HasKey, st.just("a")),
    st.builds(Search, st.sampled_from([None, "inputs", "metadata"]), WORDS),
    *map(_conditions, FAMILIES),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=1, max_size=2).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=4,
)
FILTERS = st.builds(Filter, TREES)
MAYBE = st.none() | FILTERS


def decided(one: Filter | None, stored: StoredRun) -> bool:
    return one is None or bool(one.matches(stored.run, {part: unpack(body) for part, body in stored.bodies.items()}))


def expected(all_: Sequence[StoredRun], project: str, criteria: Criteria, newest_first: bool) -> list[str]:
    """By the predicates alone, of all runs."""
    found = []
    for one in all_:
        trace = [other for other in all_ if other.run.trace_id == one.run.trace_id]
        roots = [other for other in trace if other.run.id == one.run.trace_id]
        if (
            one.run.project_id == project
            and decided(criteria.filter, one)
            and (criteria.trace_filter is None or any(decided(criteria.trace_filter, root) for root in roots))
            and (criteria.tree_filter is None or any(decided(criteria.tree_filter, other) for other in trace))
        ):
            found.append(one.run)
    return [run.id for run in sorted(found, key=place_of, reverse=newest_first)]


async def all_pages(store: Store, wanted: Wanted, criteria: Criteria, limit: int, newest_first: bool) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = await find_page(store, [wanted], criteria, after=after, newest_first=newest_first, limit=limit)
        found += [run.id for run in page.runs]
        if page.next is None:
            return found
        assert len(page.runs) == limit, "pages are full until the last"
        after = page.next


RUNS = st.lists(stored_runs(), max_size=8, unique_by=lambda one: one.run.id)
CRITERIA = st.builds(Criteria, FILTERS, MAYBE, MAYBE)
WORKSPACES = itertools.count()
_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]  # each example has its workspace


class QueryContract:
    """Given an initialised store, `store`, of either kind."""

    @settings(max_examples=100, deadline=None, suppress_health_check=_FIXTURES)
    @given(RUNS, CRITERIA, st.integers(1, 3), st.booleans())
    async def test_a_query_finds_what_the_predicates_say_of_all_runs_page_by_page(
        self, store: Store, runs: list[StoredRun], criteria: Criteria, limit: int, newest_first: bool
    ) -> None:
        workspace = f"w{next(WORKSPACES)}"
        here = [StoredRun(one.run.model_copy(update={"workspace_id": workspace}), one.bodies) for one in runs]
        await store.save_runs(here)
        wanted = Wanted(workspace, "p")
        matching = expected(here, "p", criteria, newest_first)
        assert await all_pages(store, wanted, criteria, limit, newest_first) == matching
        assert await count_matching(store, wanted, criteria, seconds=60) == Count(len(matching))

    async def test_texts_that_begin_alike_are_told_apart_although_an_index_holds_their_beginning(
        self, store: Store
    ) -> None:
        await store.save_runs([StoredRun(run(end, name=LONG + end)) for end in "12"])
        criteria = Criteria.read(f'eq(name, "{LONG}1")')
        assert await all_pages(store, Wanted(W, "p"), criteria, 10, True) == ["1"]
        assert await count_matching(store, Wanted(W, "p"), criteria, seconds=60) == Count(1)

    async def test_runs_of_several_projects_come_in_one_order(self, store: Store) -> None:
        await store.save_runs([StoredRun(run(str(n), project_id="pq"[n % 2], start_time=n)) for n in range(7)])
        both = [Wanted(W, "p"), Wanted(W, "q")]
        first = await find_page(store, both, Criteria(), limit=4)
        rest = await find_page(store, both, Criteria(), limit=4, after=first.next)
        assert [one.id for one in (*first.runs, *rest.runs)] == list("6543210")
        assert rest.next is None

    async def test_a_run_without_a_start_has_its_place_by_its_arrival_and_is_in_no_window(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("a", start_time=1)), StoredRun(run("b", received_at=2))])
        await store.save_runs([StoredRun(run("c", start_time=3))])
        assert [one.id for one in await store.find_runs(Wanted(W, "p"))] == ["c", "b", "a"]
        assert [one.id for one in await store.find_runs(Wanted(W, "p", earliest=2))] == ["c"]
        assert await store.count_runs(Wanted(W, "p", latest=2)) == 1

    async def test_a_run_that_changed_is_found_by_what_it_is_now(self, store: Store) -> None:
        for status in ("pending", "error"):
            await store.save_runs([StoredRun(run("a", status=status, thread_id=status, start_time=1))])
        for wanted, count in ((frozenset({"pending"}), 0), (frozenset({"error"}), 1)):
            assert await store.count_runs(Wanted(W, "p", status=wanted)) == count
            assert len(await store.find_runs(Wanted(W, "p", thread_id=wanted))) == count

    async def test_only_one_workspaces_runs_are_found(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("a")), StoredRun(run("b", workspace_id="other"))])
        assert [one.id for one in await store.find_runs(Wanted("other", "p"))] == ["b"]
        assert [one.id for one in await store.find_runs(Wanted("other", trace_id="a"))] == []


class TestSqlite(QueryContract):
    async def test_runs_of_a_file_of_an_earlier_version_are_found(self, tmp_path: Path, store: Store) -> None:
        """The file as that version left it: without the columns and indexes by which runs are found."""
        await store.save_runs([StoredRun(run(f"{n}", name=LONG, start_time=n)) for n in range(3)])
        await store.close()
        with contextlib.closing(sqlite3.connect(tmp_path / "insights.db")) as file:
            for index in ("roots_by_id", "runs_by_time", "runs_by_status", "runs_by_thread"):
                file.execute(f"DROP INDEX {index}")
            for column in ("time", "status", "run_type", "name", "thread_id"):
                file.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        again = await connect(f"sqlite:///{tmp_path}/insights.db")
        assert await again.count_runs(Wanted(W, "p", name=frozenset({LONG}), earliest=1)) == 2
        assert [one.id for one in await again.find_runs(Wanted(W, "p", root=True))] == ["2", "1", "0"]
        await again.close()


class TestMongo(QueryContract):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url

    async def test_runs_of_a_store_of_an_earlier_version_are_found(self, store: Store) -> None:
        await store.save_runs([StoredRun(run(f"{n}", name=LONG, start_time=n)) for n in range(3)])
        fields = dict.fromkeys(("time", "status", "run_type", "name", "thread_id"), "")
        await store._database.runs.update_many({}, {"$unset": fields})  # type: ignore[attr-defined]
        assert await store.find_runs(Wanted(W, "p", name=frozenset({LONG}))) == []
        await store.init()
        assert await store.count_runs(Wanted(W, "p", name=frozenset({LONG}), earliest=1)) == 2
        assert [one.id for one in await store.find_runs(Wanted(W, "p", root=True))] == ["2", "1", "0"]
