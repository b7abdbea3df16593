"""What every store promises, asked of SQLite and of MongoDB's protocol alike."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.bodies import pack, unpack
from shared.errors import RefusedError, UnavailableError, UsageError
from shared.job_config import AttributeSchema, JobConfig
from shared.models import (
    OPEN,
    Assignment,
    BodyPart,
    Cluster,
    Facts,
    Feedback,
    HighlightedTrace,
    Item,
    ItemState,
    Job,
    JobState,
    Plan,
    Project,
    Report,
    Run,
    Spending,
    Stage,
    StoredRun,
)
from shared.sqlite import Database
from shared.store import Store, connect
from shared.store.sqlite import SqliteStore, path_of
from tests.servers.process import free_port

W, OTHER, P, J = "workspace-1", "workspace-2", "project-1", "job-1"
HARD_TEXT = "half \ud83d, NUL \x00, whole 😀, \x1b[31m"


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


HARD: dict[str, Any] = {
    "nan": float("nan"),
    "infinite": float("-inf"),
    "huge": 10**400,
    "lone \udc00": HARD_TEXT,
    "deep": nested(500),
    "$where.a": {"": None, "_id": 1.0},
}


def run(run_id: str, **fields: Any) -> Run:
    return Run(**{"workspace_id": W, "id": run_id, "project_id": P, "trace_id": run_id, "received_at": 5, **fields})


def item(item_id: str, **fields: Any) -> Item:
    return Item(**{"workspace_id": W, "job_id": J, "id": item_id, "run_ids": (item_id,), **fields})


def job(job_id: str = J, **fields: Any) -> Job:
    return Job(
        **{
            "workspace_id": W,
            "id": job_id,
            "project_id": P,
            "name": "n",
            "created_at": 1,
            "config": JobConfig(),
            "received_before": 9,
            **fields,
        }
    )


def report(fence: int, **fields: Any) -> Report:
    return Report(**{"workspace_id": W, "job_id": J, "fence": fence, "clusters": (), **fields})


def ids(found: Iterable[Run | Item | Job]) -> list[str]:
    return [one.id for one in found]


async def save(store: Store, *runs: Run) -> None:
    await store.save_runs([StoredRun(one) for one in runs])


async def move(store: Store, item_id: str, target: ItemState, **changes: Any) -> bool:
    return await store.move_item(W, J, item_id, OPEN, target, **changes)


def same(found: object, expected: object) -> bool:
    """Equal, where NaN equals NaN."""
    return repr(found) == repr(expected)


ANY_TEXT = st.text(st.characters(), max_size=20)
ANY_INTEGER = st.integers(-(10**40), 10**40)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | ANY_INTEGER | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
ANY_METADATA = st.dictionaries(ANY_TEXT, ANY_JSON, max_size=4)
ANY_TIME = st.none() | st.integers(-(2**63), 2**63 - 1)
RUNS = st.builds(
    run,
    st.just("r"),
    name=ANY_TEXT,
    thread_id=st.none() | ANY_TEXT,
    dotted_order=st.none() | ANY_TEXT,
    error=st.none() | ANY_TEXT,
    tags=st.lists(ANY_TEXT, max_size=3),
    metadata=ANY_METADATA,
    start_time=ANY_TIME,
    end_time=ANY_TIME,
    total_tokens=st.none() | ANY_INTEGER,
    total_cost=st.none() | st.floats(),
    feedback=st.dictionaries(ANY_TEXT, st.builds(Feedback, n=st.integers(), avg=st.none() | st.floats()), max_size=2),
)
ITEMS = st.builds(
    item,
    st.just("i"),
    run_ids=st.lists(ANY_TEXT, max_size=3),
    state=st.sampled_from(ItemState),
    summary=st.none() | ANY_TEXT,
    attributes=ANY_METADATA,
    draft=st.none() | ANY_METADATA,
    unknown=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
    quotes=st.lists(ANY_TEXT, max_size=2),
    quotes_dropped=st.integers(0, 9),
    unread=st.floats(),
    features=st.binary(max_size=50),
    path=st.lists(ANY_TEXT, max_size=2),
    confidence=st.none() | st.floats(),
    unusual=st.booleans(),
    effort=st.none() | st.floats(),
    facts=st.builds(Facts, latency=st.none() | st.floats(), feedback=st.dictionaries(ANY_TEXT, st.floats())),
)


class StoreContract:
    """Given an empty store, `store`, of either kind, and `url`, under which another client finds the same one."""

    # Projects

    async def test_the_first_project_of_an_id_stays(self, store: Store) -> None:
        first = Project(workspace_id=W, id=P, name="shop", created_at=1, source=HARD)
        assert same(await store.insert_project(first), first)
        assert same(await store.insert_project(first.model_copy(update={"name": "late"})), first)
        assert same(await store.project(W, P), first)
        assert await store.project(OTHER, P) is None

    async def test_a_project_is_found_by_any_name_and_the_oldest_of_twins_counts(self, store: Store) -> None:
        for project_id, created in (("late", 2), ("old", 1)):
            await store.insert_project(Project(workspace_id=W, id=project_id, name=HARD_TEXT, created_at=created))
        found = await store.project_named(W, HARD_TEXT)
        assert found is not None
        assert (found.id, found.name) == ("old", HARD_TEXT)
        assert await store.project_named(OTHER, HARD_TEXT) is None
        assert await store.project_named(W, "half") is None

    async def test_a_projects_source_is_replaced_and_nothing_else(self, store: Store) -> None:
        project = await store.insert_project(Project(workspace_id=W, id=P, name="shop", created_at=1, source={"a": 1}))
        await store.update_project(W, P, source={"b": "\ud800"})
        await store.update_project(OTHER, P, source={"c": 1})
        assert await store.project(W, P) == project.model_copy(update={"source": {"b": "\ud800"}})

    # Runs

    async def test_a_run_with_hard_values_comes_back_equal(self, store: Store) -> None:
        hard = run(
            "r",
            name=HARD_TEXT,
            error=HARD_TEXT,
            tags=(HARD_TEXT, ""),
            thread_id=HARD_TEXT,
            metadata=HARD,
            feedback={HARD_TEXT: Feedback(n=2, avg=0.5), "$a.b": Feedback(n=1)},
            total_tokens=0,
            total_cost=0.1,
            start_time=1,
            end_time=2,
        )
        await save(store, hard)
        assert same((await store.runs(W, ["r", "missing"])), {"r": hard})

    async def test_two_workspaces_with_the_same_run_id_never_meet(self, store: Store) -> None:
        mine, theirs = run("r", name="mine"), run("r", name="theirs", workspace_id=OTHER)
        await store.save_runs([StoredRun(mine, {"inputs": b"mine"}), StoredRun(theirs, {"inputs": b"theirs"})])
        assert await store.runs(W, ["r"]) == {"r": mine}
        assert await store.trace_runs(OTHER, ["r"]) == [theirs]
        assert await store.root_runs(OTHER, P) == [theirs]
        assert await store.bodies(OTHER, ["r"], ["inputs"]) == {"r": {"inputs": b"theirs"}}

    async def test_ids_that_share_a_separator_never_meet(self, store: Store) -> None:
        await save(store, run("b/c", workspace_id="a"), run("c", workspace_id="a/b"))
        assert ids((await store.runs("a", ["b/c", "c"])).values()) == ["b/c"]
        assert ids((await store.runs("a/b", ["b/c", "c"])).values()) == ["c"]

    async def test_a_run_saved_again_replaces_the_old_one_with_all_its_bodies(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("r", trace_id="t", name="old"), {"inputs": b"1", "outputs": b"2"})])
        await store.save_runs([StoredRun(run("r", trace_id="u", name="new"), {"outputs": b"3"})])
        assert await store.trace_runs(W, ["t"]) == []
        assert (await store.runs(W, ["r"]))["r"].name == "new"
        assert await store.bodies(W, ["r"], ["inputs", "outputs"]) == {"r": {"outputs": b"3"}}

    async def test_the_last_of_twins_in_one_call_counts(self, store: Store) -> None:
        twins = [StoredRun(run("r", name="a"), {"inputs": b"1"}), StoredRun(run("r", name="b"), {"outputs": b"2"})]
        await store.save_runs(twins)
        assert (await store.runs(W, ["r"]))["r"].name == "b"
        assert await store.bodies(W, ["r"], ["inputs", "outputs"]) == {"r": {"outputs": b"2"}}

    async def test_no_runs_are_no_error(self, store: Store) -> None:
        await store.save_runs([])
        assert await store.runs(W, []) == {}
        assert await store.trace_runs(W, []) == []
        assert await store.bodies(W, [], ["inputs"]) == {}

    async def test_runs_of_traces_are_sorted_by_trace_then_dotted_order_then_start_then_id(self, store: Store) -> None:
        expected = [
            run("z", trace_id="t1", start_time=1),
            run("a", trace_id="t1", start_time=2),
            run("b", trace_id="t1", start_time=2),
            run("c", trace_id="t1", dotted_order="1", start_time=0),
            run("d", trace_id="t2"),
        ]
        await save(store, *reversed(expected), run("e", trace_id="t3"))
        assert await store.trace_runs(W, {"t2", "t1"}) == expected

    async def test_more_ids_than_one_question_holds_are_all_answered(self, store: Store) -> None:
        many = [f"r{number:05}" for number in range(1_100)]
        await store.save_runs([StoredRun(run(run_id), {"inputs": run_id.encode()}) for run_id in many])
        assert sorted(await store.runs(W, many)) == many
        assert ids(await store.trace_runs(W, many)) == many
        assert {key: found["inputs"].decode() for key, found in (await store.bodies(W, many, ["inputs"])).items()} == {
            run_id: run_id for run_id in many
        }

    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            ({}, ["a", "b", "c", "d"]),
            ({"start": 10}, ["a", "b", "c"]),
            ({"start": 11}, ["b", "c"]),
            ({"end": 20}, ["a"]),
            ({"start": 10, "end": 21}, ["a", "b"]),
            ({"received_before": 7}, ["a", "d"]),
            ({"received_before": 8, "after": "a"}, ["b", "c", "d"]),
            ({"limit": 2}, ["a", "b"]),
            ({"limit": 2, "after": "b"}, ["c", "d"]),
            ({"limit": 0}, []),
        ],
    )
    async def test_root_runs_of_a_window(self, store: Store, window: dict[str, Any], expected: list[str]) -> None:
        """Start is within, end is not; a run without a start is in no window with bounds; children never are."""
        await save(
            store,
            run("c", start_time=30, received_at=7),
            run("a", start_time=10, received_at=6),
            run("b", start_time=20, received_at=7),
            run("d", received_at=6),
            run("child", start_time=15, parent_run_id="a"),
            run("elsewhere", start_time=15, project_id="project-2"),
        )
        assert ids(await store.root_runs(W, P, **window)) == expected

    async def test_paging_is_stable_while_rows_are_added(self, store: Store) -> None:
        """What was there at the start is seen exactly once."""
        before = [f"r{number:02}" for number in range(0, 40, 2)]
        await save(store, *(run(run_id) for run_id in before))
        seen: list[str] = []
        while page := await store.root_runs(W, P, after=seen[-1] if seen else None, limit=3):
            seen += ids(page)
            await save(store, run(f"r{len(seen):02}-late"), run(f"r{40 - len(seen):02}-late"), run("a"))
        assert [run_id for run_id in seen if run_id in before] == before
        assert len(seen) == len(set(seen))

    async def test_bodies_of_hard_values_come_back_equal(self, store: Store) -> None:
        big = {"text": "é" * 4_000_000}
        parts: dict[BodyPart, bytes] = {"inputs": pack(HARD), "outputs": pack(big), "extra": b"", "error": b"\x00\xff"}
        await store.save_runs([StoredRun(run("r"), parts)])
        found = await store.bodies(W, ["r"], ["inputs", "outputs", "extra", "error", "events"])
        assert found == {"r": parts}
        assert same(unpack(found["r"]["inputs"]), HARD)

    async def test_a_body_of_20_mb_is_kept_and_replaced_whole(self, store: Store) -> None:
        """It is larger than any document may be in MongoDB."""
        for body in (b"a" * 20_000_000, b"b" * 17_000_000, b"c"):
            await store.save_runs([StoredRun(run("r"), {"inputs": body})])
            assert await store.bodies(W, ["r"], ["inputs"]) == {"r": {"inputs": body}}

    async def test_two_writers_of_one_large_body_never_mix(self, store: Store) -> None:
        bodies = [letter * 9_000_000 for letter in (b"a", b"b", b"c")]
        await asyncio.gather(*(store.save_runs([StoredRun(run("r"), {"inputs": body})]) for body in bodies))
        assert (await store.bodies(W, ["r"], ["inputs"]))["r"]["inputs"] in bodies

    async def test_bodies_gives_only_the_parts_asked_for(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("r"), {"inputs": b"1", "extra": b"2"}), StoredRun(run("s"))])
        assert await store.bodies(W, ["r", "s"], ["extra"]) == {"r": {"extra": b"2"}}
        assert await store.bodies(OTHER, ["r"], ["extra"]) == {}

    # Jobs

    async def test_a_job_comes_back_equal_and_the_first_stays(self, store: Store) -> None:
        config = JobConfig(
            name="NUL \x00, 😀",
            sample=5,
            last_n_hours=1.5,
            attribute_schemas={"mood": AttributeSchema(type="string", enum=("a", "b"))},
            partitions={"$a.b": "\x00"},
            hierarchy=(4, 2),
        )
        first = job(config=config, name=HARD_TEXT, window_start=1, window_end=2**60, requested=0)
        assert await store.insert_job(first)
        assert not await store.insert_job(first.model_copy(update={"name": "late"}))
        assert await store.job(W, J) == first
        assert await store.job(OTHER, J) is None

    async def test_a_frozen_window_of_dates_comes_back_equal(self, store: Store) -> None:
        config = JobConfig.model_validate({"start_time": "2024-01-01T00:00:00.123456+02:00"})
        await store.insert_job(job(config=config))
        found = await store.job(W, J)
        assert found is not None
        assert found.config == config

    async def test_jobs_of_a_project_come_newest_first(self, store: Store) -> None:
        for job_id, created in (("a", 1), ("c", 2), ("b", 2)):
            await store.insert_job(job(job_id, created_at=created))
        await store.insert_job(job("x", project_id="project-2"))
        await store.insert_job(job("y", workspace_id=OTHER))
        assert ids(await store.jobs(W, P)) == ["c", "b", "a"]

    async def test_jobs_in_states_come_oldest_first_of_every_workspace(self, store: Store) -> None:
        await store.insert_job(job("c", created_at=3))
        await store.insert_job(job("b", created_at=1, workspace_id=OTHER))
        await store.insert_job(job("a", created_at=2, state=JobState.READY))
        await store.insert_job(job("d", state=JobState.SUCCESS))
        wanted = (JobState.QUEUED, JobState.READY)
        assert ids(await store.jobs_in(wanted)) == ["b", "a", "c"]
        assert ids(await store.jobs_in(wanted, limit=2)) == ["b", "a"]
        assert ids(await store.jobs_in([JobState.RUNNING])) == []

    async def test_the_outbox_holds_a_job_until_it_is_announced(self, store: Store) -> None:
        await store.insert_job(job("a", created_at=1))
        await store.insert_job(job("b", created_at=2))
        await store.insert_job(job("c", created_at=3))
        await store.mark_announced(W, "a")
        await store.mark_announced(OTHER, "b")
        assert ids(await store.unannounced_jobs(3)) == ["b"]
        found = await store.job(W, "a")
        assert found is not None
        assert found.announced

    async def test_a_job_moves_only_from_the_given_states_and_keeps_what_is_not_changed(self, store: Store) -> None:
        await store.insert_job(job(matched=3))
        assert not await store.move_job(W, J, [JobState.RUNNING], JobState.READY, error="no")
        assert not await store.move_job(OTHER, J, [JobState.QUEUED], JobState.RUNNING)
        assert await store.move_job(W, J, [JobState.QUEUED], JobState.ERROR, error=HARD_TEXT, fence=2, ended_at=7)
        expected = job(matched=3, state=JobState.ERROR, error=HARD_TEXT, fence=2, ended_at=7)
        assert await store.job(W, J) == expected

    async def test_a_move_with_a_fence_needs_the_jobs_own(self, store: Store) -> None:
        await store.insert_job(job(state=JobState.CATEGORIZED))
        ready, done = [JobState.CATEGORIZED], JobState.SUCCESS
        assert not await store.move_job(W, J, ready, done, only_fence=1)
        assert await store.move_job(W, J, ready, JobState.CATEGORIZED, fence=2)
        assert not await store.move_job(W, J, ready, done, only_fence=1)
        assert await store.move_job(W, J, ready, done, only_fence=2, ended_at=7)
        assert await store.job(W, J) == job(state=done, fence=2, ended_at=7)

    @pytest.mark.parametrize("field", ["nonsense", "id", "state", "created_at"])
    async def test_a_move_refuses_fields_that_do_not_exist_or_never_change(self, store: Store, field: str) -> None:
        await store.insert_job(job())
        changes: dict[str, Any] = {field: "x"}
        with pytest.raises(TypeError, match=field):
            await store.move_job(W, J, [JobState.QUEUED], target=JobState.RUNNING, **changes)

    async def test_cleared_items_can_be_made_anew_and_their_neighbours_stay(self, store: Store) -> None:
        for workspace_id, job_id in ((W, J), (W, "job-2"), (OTHER, J)):
            key = {"workspace_id": workspace_id, "job_id": job_id}
            await store.insert_items([item("i", features=b"old", state=ItemState.DONE, **key)])
        await store.clear_items(W, J)
        assert await store.item(W, J, "i") is None
        assert await store.item(W, "job-2", "i") is not None
        assert await store.item(OTHER, J, "i") is not None
        await store.insert_items([item("i", workspace_id=W, job_id=J)])
        [again] = await store.items(W, J, features=True)
        assert (again.state, again.features) == (ItemState.PENDING, b"")

    async def test_a_deleted_job_leaves_nothing_and_its_neighbours_all(self, store: Store) -> None:
        for workspace_id, job_id in ((W, J), (W, "job-2"), (OTHER, J)):
            key = {"workspace_id": workspace_id, "job_id": job_id}
            await store.insert_job(job(job_id, workspace_id=workspace_id))
            await store.insert_items([item("i", features=b"f", **key)])
            await store.insert_plan(Plan(**key))
            await store.save_report(report(1, **key))
            await store.save_report(report(2, **key))
        await store.delete_job(W, J)
        await store.delete_job(W, J)
        left: list[object] = [await store.job(W, J), await store.item(W, J, "i"), await store.plan(W, J)]
        left += [await store.report(W, J, 1), await store.report(W, J, 2)]
        assert left == [None] * 5
        assert await store.count_items(W, J) == {}
        for workspace_id, job_id in ((W, "job-2"), (OTHER, J)):
            assert await store.job(workspace_id, job_id)
            assert await store.plan(workspace_id, job_id)
            assert await store.item(workspace_id, job_id, "i")
            assert await store.report(workspace_id, job_id, 2)
        await store.insert_items([item("i")])
        found = await store.item(W, J, "i")
        assert found is not None
        assert found.features == b""

    async def test_a_plan_comes_back_equal_and_the_first_stays(self, store: Store) -> None:
        plan = Plan(workspace_id=W, job_id=J, documents=3, common={HARD_TEXT: 0.25, "$a.b": 1.0})
        await store.insert_plan(plan)
        await store.insert_plan(Plan(workspace_id=W, job_id=J, documents=9))
        assert await store.plan(W, J) == plan
        assert await store.plan(OTHER, J) is None

    # Items

    async def test_an_item_comes_back_equal_and_those_that_exist_stay(self, store: Store) -> None:
        first = item(
            "i",
            run_ids=("r1", "r2"),
            thread_id=HARD_TEXT,
            summary=HARD_TEXT,
            reason=HARD_TEXT,
            attributes=HARD,
            facts=Facts(error=False, latency=0.0, total_cost=0.1, feedback={HARD_TEXT: 1.0, "$a.b": 0.0}),
            features=bytes(range(256)),
        )
        await store.insert_items([first])
        await store.insert_items([item("i", summary="late", features=b"late"), item("new")])
        assert same(await store.item(W, J, "i"), first)
        assert await store.item(W, J, "new") == item("new")
        assert await store.item(OTHER, J, "i") is await store.item(W, "job-2", "i") is None
        await store.insert_items([])

    async def test_items_are_paged_by_id_and_state_with_features_only_if_asked(self, store: Store) -> None:
        for number in reversed(range(9)):
            state = (ItemState.DONE, ItemState.FAILED, ItemState.PENDING)[number % 3]
            await store.insert_items([item(f"i{number}", state=state, features=b"f")])
        await store.insert_items([item("i0", job_id="job-2"), item("i0", workspace_id=OTHER)])
        assert ids(await store.items(W, J, limit=4)) == ["i0", "i1", "i2", "i3"]
        assert ids(await store.items(W, J, limit=4, after="i6")) == ["i7", "i8"]
        ended = (ItemState.DONE, ItemState.FAILED)
        assert ids(await store.items(W, J, states=ended, limit=3, after="i1")) == ["i3", "i4", "i6"]
        assert await store.items(W, J, states=[]) == []
        assert {one.features for one in await store.items(W, J)} == {b""}
        assert {one.features for one in await store.items(W, J, features=True)} == {b"f"}

    async def test_counts_and_looks_follow_the_states(self, store: Store) -> None:
        assert await store.count_items(W, J) == {}
        assert not await store.has_open_items(W, J)
        states = [*OPEN, ItemState.DONE, ItemState.LEFT_OUT, ItemState.RELEASED]
        await store.insert_items([item(f"i{n}", state=state) for n, state in enumerate(states)])
        await store.insert_items([item("x", job_id="job-2", state=ItemState.RELEASED)])
        assert await store.count_items(W, J) == {state: states.count(state) for state in states}
        assert await store.count_in_flight(W, J) == 3

    @pytest.mark.parametrize("state", list(ItemState))
    async def test_a_job_has_open_items_while_one_is_not_final(self, store: Store, state: ItemState) -> None:
        await store.insert_items([item("done", state=ItemState.DONE), item("i", state=state)])
        assert await store.has_open_items(W, J) is (not state.final)

    async def test_items_are_released_lowest_id_first_and_each_once(self, store: Store) -> None:
        await store.insert_items([item(f"i{number}") for number in reversed(range(5))])
        await store.insert_items([item("a", job_id="job-2")])
        assert await move(store, "i1", ItemState.LEFT_OUT)
        assert await store.release_items(W, J, 0) == []
        assert await store.release_items(W, J, 2) == ["i0", "i2"]
        assert await store.release_items(W, J, 9) == ["i3", "i4"]
        assert await store.release_items(W, J, 9) == []
        assert await store.count_items(W, J) == {ItemState.RELEASED: 4, ItemState.LEFT_OUT: 1}

    async def test_concurrent_releases_share_the_items_without_overlap(self, store: Store) -> None:
        await store.insert_items([item(f"i{number:03}") for number in range(60)])
        rounds = [await asyncio.gather(*(store.release_items(W, J, 5) for _ in range(6))) for _ in range(12)]
        released = [item_id for pages in rounds for page in pages for item_id in page]
        assert sorted(released) == [f"i{number:03}" for number in range(60)]

    async def test_an_item_moves_only_from_the_given_states_and_keeps_what_is_not_changed(self, store: Store) -> None:
        first = item("i", summary="s", content_hash="h", features=b"old")
        await store.insert_items([first])
        assert not await store.move_item(W, J, "i", [ItemState.RELEASED], ItemState.DONE, features=b"lost", reason="no")
        assert not await store.move_item(OTHER, J, "i", OPEN, ItemState.DONE)
        assert await store.item(W, J, "i") == first
        assert await move(store, "i", ItemState.SUMMARIZED, features=b"new", facts=Facts(latency=1.5), reason=HARD_TEXT)
        changes = {"state": ItemState.SUMMARIZED, "features": b"new", "facts": Facts(latency=1.5), "reason": HARD_TEXT}
        assert await store.item(W, J, "i") == first.model_copy(update=changes)
        assert await move(store, "i", ItemState.DONE, attributes={"a": None})
        changes |= {"state": ItemState.DONE, "attributes": {"a": None}}
        assert await store.item(W, J, "i") == first.model_copy(update=changes)

    async def test_a_missing_item_does_not_move_and_an_unknown_field_is_refused(self, store: Store) -> None:
        assert not await move(store, "i", ItemState.DONE, features=b"f")
        assert await store.item(W, J, "i") is None
        with pytest.raises(TypeError, match="sumary"):
            await move(store, "i", ItemState.DONE, sumary="typo")

    async def test_of_many_concurrent_moves_of_a_state_one_wins(self, store: Store) -> None:
        """And what it wrote stands, none of what the others did."""
        await store.insert_job(job())
        await store.insert_items([item(f"i{number}") for number in range(10)])
        for number in range(10):
            tries = (move(store, f"i{number}", ItemState.DONE, reason=str(n), features=bytes([n])) for n in range(20))
            won = await asyncio.gather(*tries)
            found = await store.item(W, J, f"i{number}")
            assert found is not None
            assert (won.count(True), found.reason, found.features) == (
                1,
                str(won.index(True)),
                bytes([won.index(True)]),
            )
        moves = (store.move_job(W, J, [JobState.QUEUED], JobState.RUNNING) for _ in range(20))
        assert (await asyncio.gather(*moves)).count(True) == 1

    async def test_of_many_concurrent_inserts_of_a_job_one_is_new(self, store: Store) -> None:
        assert (await asyncio.gather(*(store.insert_job(job()) for _ in range(20)))).count(True) == 1

    async def test_a_stale_fence_cannot_assign(self, store: Store) -> None:
        await store.insert_items([item("a", features=b"f", state=ItemState.DONE), item("b")])
        odd = Assignment("a", ("leaf", "top"), 0.5, unusual=True, effort=0.25)
        await store.assign_items(W, J, 2, [odd, Assignment("missing", ("x",), 1.0)])
        await store.assign_items(W, J, 1, [Assignment("a", ("stale",), 0.9), Assignment("b", ("low",), 0.1)])
        await store.assign_items(W, J, 3, [Assignment("b", (), float("nan"))])
        await store.assign_items(W, J, 3, [])
        found = {one.id: one for one in await store.items(W, J)}
        assert (found["a"].leaf, found["a"].path, found["a"].confidence) == ("leaf", ("leaf", "top"), 0.5)
        assert (found["a"].unusual, found["a"].effort) == (True, 0.25)
        assert same((found["b"].leaf, found["b"].path, found["b"].confidence), (None, (), float("nan")))
        assert sorted(found) == ["a", "b"]

    async def test_the_fence_that_assigned_may_assign_again(self, store: Store) -> None:
        await store.insert_items([item("a")])
        for leaf in ("x", "y"):
            await store.assign_items(W, J, 1, [Assignment("a", (leaf,), 0.5)])
        assert ids(one for one in await store.items(W, J) if one.leaf == "y") == ["a"]

    # Leases

    async def test_a_lease_has_one_owner_who_keeps_its_fence(self, store: Store) -> None:
        assert await store.acquire_lease("l", "a", 60) == 1
        assert await store.acquire_lease("l", "b", 60) is None
        assert await store.acquire_lease("l", "a", 60) == 1
        assert await store.acquire_lease("other", "b", 60) == 1

    async def test_each_new_owner_gets_the_next_fence(self, store: Store) -> None:
        assert await store.acquire_lease("l", "a", 60) == 1
        await store.release_lease("l", "b")
        assert await store.acquire_lease("l", "b", 60) is None
        await store.release_lease("l", "a")
        assert await store.acquire_lease("l", "b", 0) == 2
        assert await store.acquire_lease("l", "a", 60) == 3

    async def test_a_lapsed_lease_is_renewed_only_until_another_takes_it(self, store: Store) -> None:
        assert await store.acquire_lease("l", "a", 0) == 1
        assert await store.renew_lease("l", "a", 0)
        assert await store.acquire_lease("l", "b", 60) == 2
        assert not await store.renew_lease("l", "a", 60)
        assert not await store.renew_lease("never", "a", 60)

    async def test_a_renewed_lease_is_not_free(self, store: Store) -> None:
        assert await store.acquire_lease("l", "a", 0) == 1
        assert await store.renew_lease("l", "a", 60)
        assert await store.acquire_lease("l", "b", 60) is None

    async def test_of_many_who_want_a_lease_one_gets_it_each_time(self, store: Store) -> None:
        for fence in range(1, 6):
            found = await asyncio.gather(*(store.acquire_lease("l", f"owner-{n}", 60) for n in range(15)))
            assert [got for got in found if got is not None] == [fence]
            await store.release_lease("l", f"owner-{found.index(fence)}")

    # Reports

    async def test_a_report_comes_back_equal_and_is_replaced_under_its_fence_only(self, store: Store) -> None:
        cluster = Cluster(
            id="c", level=0, name=HARD_TEXT, description="", num_runs=1, stats={"$a.b": None, "n": 10**30}
        )
        full = report(
            1,
            clusters=(cluster,),
            stats=HARD,
            title=HARD_TEXT,
            key_points=("a", "\ud800"),
            highlighted_traces=(HighlightedTrace(run_id="r", rank=1, highlight_reason="x"),),
            notes=("n",),
        )
        await store.save_report(report(1))
        await store.save_report(report(2))
        await store.save_report(full)
        assert same(await store.report(W, J, 1), full)
        assert await store.report(W, J, 2) == report(2)
        assert await store.report(W, J, 3) is await store.report(OTHER, J, 1) is None

    # Answers of models, and what they took

    async def test_an_answer_is_found_by_its_key_in_its_workspace_only(self, store: Store) -> None:
        await store.keep_answers(W, {Stage.SUMMARIES: {"a": b"1", "b": bytes(2_000_000), "c": b""}})
        assert await store.answers(W, ["a", "b", "c", "d"]) == {"a": b"1", "b": bytes(2_000_000), "c": b""}
        assert await store.answers(W, []) == await store.answers(OTHER, ["a"]) == {}

    async def test_an_answer_kept_again_replaces_the_old_one(self, store: Store) -> None:
        await store.keep_answers(W, {Stage.SUMMARIES: {"a": b"old", "b": b"1"}})
        await store.keep_answers(W, {Stage.SUMMARIES: {"a": b"new"}})
        await store.keep_answers(W, {Stage.SUMMARIES: {}})
        assert await store.answers(W, ["a", "b"]) == {"a": b"new", "b": b"1"}

    async def test_more_answers_than_one_question_holds_are_all_found(self, store: Store) -> None:
        many = {f"{number:05}": str(number).encode() for number in range(2_500)}
        await store.keep_answers(W, {Stage.VECTORS: many})
        assert await store.answers(W, many) == many

    async def test_answers_are_counted_by_stage_and_cleared_by_workspace(self, store: Store) -> None:
        await store.keep_answers(W, {Stage.SUMMARIES: {"a": b"123", "b": b"4"}, Stage.VECTORS: {"c": b"56"}})
        await store.keep_answers(OTHER, {Stage.VECTORS: {"c": b"7"}})
        assert await store.count_answers(W) == {Stage.SUMMARIES: (2, 4), Stage.VECTORS: (1, 2)}
        assert (await store.clear_answers(W), await store.clear_answers(W)) == (3, 0)
        assert (await store.count_answers(W), await store.answers(W, ["a", "c"])) == ({}, {})
        assert await store.answers(OTHER, ["c"]) == {"c": b"7"}

    async def test_without_a_workspace_the_answers_of_all_are_counted_and_cleared(self, store: Store) -> None:
        await store.keep_answers(W, {Stage.SUMMARIES: {"a": b"123"}})
        await store.keep_answers(OTHER, {Stage.SUMMARIES: {"a": b"4"}})
        assert await store.count_answers() == {Stage.SUMMARIES: (2, 4)}
        assert (await store.clear_answers(), await store.count_answers()) == (2, {})

    async def test_a_bill_adds_up_for_each_stage_and_model_and_is_sorted(self, store: Store) -> None:
        one = Spending(stage=Stage.SUMMARIES, model="m", calls=1, kept=2, input=30, cached=4, output=5, cut=3)
        hard = Spending(stage=Stage.SUMMARIES, model=HARD_TEXT, calls=1)
        named = Spending(stage=Stage.CATEGORIES, model="m", kept=1)
        for spending in (one, named, hard, one):
            await store.add_spending(W, J, spending)
        double = Spending(stage=Stage.SUMMARIES, model="m", calls=2, kept=4, input=60, cached=8, output=10, cut=6)
        assert await store.spending(W, J) == [named, hard, double]
        assert await store.spending(W, "other") == await store.spending(OTHER, J) == []

    async def test_a_bill_that_holds_one_estimate_stays_estimated(self, store: Store) -> None:
        for estimated in (False, True, False):
            await store.add_spending(W, J, Spending(stage=Stage.FINDINGS, model="m", calls=1, estimated=estimated))
        [found] = await store.spending(W, J)
        assert (found.calls, found.estimated) == (3, True)

    async def test_of_many_who_add_to_a_bill_at_once_each_counts(self, store: Store) -> None:
        spending = Spending(stage=Stage.SUMMARIES, model="m", calls=1, input=7)
        await asyncio.gather(*(store.add_spending(W, J, spending) for _ in range(40)))
        [found] = await store.spending(W, J)
        assert (found.calls, found.input) == (40, 280)

    async def test_a_bill_goes_with_its_job_and_answers_stay(self, store: Store) -> None:
        await store.add_spending(W, J, Spending(stage=Stage.SUMMARIES, model="m", calls=1))
        await store.add_spending(W, "other", Spending(stage=Stage.SUMMARIES, model="m", calls=1))
        await store.keep_answers(W, {Stage.SUMMARIES: {"a": b"1"}})
        await store.delete_job(W, J)
        assert await store.spending(W, J) == []
        assert len(await store.spending(W, "other")) == 1
        assert await store.answers(W, ["a"]) == {"a": b"1"}

    # The store itself

    async def test_another_client_sees_what_was_written(self, store: Store, url: str) -> None:
        await store.save_runs([StoredRun(run("r"), {"inputs": b"1"})])
        await store.insert_items([item("i", features=b"f")])
        assert await move(store, "i", ItemState.DONE)
        other = await connect(url)
        try:
            await other.init()
            await other.check()
            assert await other.bodies(W, ["r"], ["inputs"]) == {"r": {"inputs": b"1"}}
            assert await other.item(W, J, "i") == item("i", features=b"f", state=ItemState.DONE)
        finally:
            await other.close()

    async def test_init_twice_is_harmless_and_the_store_then_answers(self, store: Store) -> None:
        await store.insert_job(job())
        await store.init()
        await store.check()
        assert await store.job(W, J) == job()


class CountingDatabase:
    """Runs what a Database would run, at once, and counts the steps of SQLite's machine."""

    def __init__(self, path: Path) -> None:
        self.steps = 0
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.set_progress_handler(self._count, 1)

    def _count(self) -> int:
        self.steps += 1
        return 0

    async def read(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        return work(self._connection)

    write = read

    async def close(self) -> None:
        self._connection.close()


async def _steps_of_looks(store: Store, database: CountingDatabase) -> list[int]:
    """What has_open_items, count_in_flight and release_items (of one) cost, one after the other."""
    steps = []
    for look in (store.has_open_items(W, J), store.count_in_flight(W, J), store.release_items(W, J, 1)):
        database.steps = 0
        await look
        steps.append(database.steps)
    return steps


class TestSqlite(StoreContract):
    async def test_a_file_of_an_earlier_version_gets_the_columns_that_it_lacks(self, store: Store, url: str) -> None:
        paid = Spending(stage=Stage.SUMMARIES, model="m", calls=1, cut=1)
        await store.insert_items([item("a")])
        await store.add_spending(W, J, paid)
        await store.close()
        with contextlib.closing(sqlite3.connect(path_of(url))) as connection:
            for column in ("unusual", "unknown", "quotes"):
                connection.execute(f"ALTER TABLE items DROP COLUMN {column}")
            connection.execute("ALTER TABLE spending DROP COLUMN cut")
        again = await connect(url)
        assert await again.items(W, J) == [item("a")]
        await again.assign_items(W, J, 1, [Assignment("a", ("leaf",), 0.5, unusual=True)])
        assert [one.unusual for one in await again.items(W, J)] == [True]
        for _ in range(2):
            await again.add_spending(W, J, paid)
        assert [(one.calls, one.cut) for one in await again.spending(W, J)] == [(3, 2)]
        await again.close()

    async def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnavailableError, match=f"make the folder {tmp_path}/gone"):
            await connect(f"sqlite:///{tmp_path}/gone/insights.db")

    async def test_a_file_that_is_no_store_is_named_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "insights.db"
        path.write_text("my notes, longer than the header of a database" * 99)
        with pytest.raises(UnavailableError, match="cannot be opened"):
            await connect(f"sqlite:///{path}")
        assert path.read_text().startswith("my notes")

    async def test_a_file_that_is_gone_makes_the_check_say_so(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "insights.db").unlink()
        with pytest.raises(UnavailableError, match="is gone"):
            await store.check()

    async def test_a_file_that_takes_no_writes_makes_the_check_say_so(self, store: Store, tmp_path: Path) -> None:
        """A file that can still be read is not enough: results would be lost one by one."""
        database = Database(tmp_path / "insights.db", "PRAGMA query_only=ON")
        failing = SqliteStore(tmp_path / "insights.db", database)
        with pytest.raises(UnavailableError, match=r"takes no writes.*disk full or read-only"):
            await failing.check()
        assert await failing.job(W, J) is None
        await failing.close()

    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("sqlite:///relative.db", "relative.db"),
            ("sqlite:///./data/insights.db", "./data/insights.db"),
            ("sqlite:///../insights.db", "../insights.db"),
            ("sqlite:///data/insights.db", "/data/insights.db"),
            ("sqlite:////data/insights.db", "/data/insights.db"),
        ],
    )
    def test_a_url_names_its_file(self, url: str, path: str) -> None:
        assert path_of(url) == Path(path)

    @pytest.mark.parametrize("url", ["sqlite:", "sqlite:///", "sqlite://data.db"])
    async def test_a_url_without_a_file_is_refused_with_an_example(self, url: str) -> None:
        with pytest.raises(UsageError, match=r"sqlite:///path/insights\.db"):
            await connect(url)

    async def test_a_look_costs_the_same_however_many_items_are_done(self, store: Store, tmp_path: Path) -> None:
        """Counted in steps of SQLite's machine, which do not depend on the clock."""
        database = CountingDatabase(tmp_path / "insights.db")
        counted = SqliteStore(tmp_path / "insights.db", cast(Database, database))
        await store.insert_items([item("p"), item("q"), item("z")])
        await store.insert_items([item("a", state=ItemState.RELEASED), item("b", state=ItemState.SUMMARIZED)])
        await counted.has_open_items(W, J)  # the first look reads the schema
        before = await _steps_of_looks(counted, database)
        await store.insert_items([item(f"i{number}", state=ItemState.DONE) for number in range(3_000)])
        assert await move(store, "p", ItemState.DONE)
        assert await _steps_of_looks(counted, database) == before
        await counted.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    async def test_any_run_and_item_come_back_equal(self, store: Store, data: st.DataObject) -> None:
        some_run, some_item = data.draw(RUNS), data.draw(ITEMS)
        await save(store, some_run)
        await store.delete_job(W, J)
        await store.insert_items([some_item])
        assert same((await store.runs(W, ["r"]))["r"], some_run)
        assert same(await store.item(W, J, "i"), some_item)


class TestMongo(StoreContract):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url

    async def test_a_store_that_is_away_is_unavailable_with_a_sentence(self) -> None:
        store = await connect(f"mongodb://127.0.0.1:{free_port()}/insights?serverSelectionTimeoutMS=100")
        with pytest.raises(UnavailableError, match="does not answer: start it, or check the store's URL"):
            await store.check()
        with pytest.raises(UnavailableError, match="does not answer"):
            await store.insert_job(job())
        await store.close()

    async def test_a_store_that_was_never_made_is_unavailable(self, url: str) -> None:
        store = await connect(url)
        with pytest.raises(UnavailableError, match="has no store yet"):
            await store.check()
        await store.close()

    async def test_a_document_that_is_too_large_is_refused(self, store: Store) -> None:
        await store.insert_items([item("i")])
        with pytest.raises(RefusedError, match="refused move_item"):
            await move(store, "i", ItemState.DONE, features=bytes(17_000_000))

    @pytest.mark.parametrize(
        ("url", "words"),
        [("mongodb://127.0.0.1:1", "add the database"), ("mongodb://127.0.0.1:x/d", "no URL"), ("redis://x", "no URL")],
    )
    async def test_a_url_without_a_database_is_refused_with_an_example(self, url: str, words: str) -> None:
        with pytest.raises(UsageError, match=words):
            await connect(url)
