"""From records to the store: what is merged, what is worked out, and that nothing odd in a source stops it."""

import io
import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings

from shared import bodies
from shared.ingest import Ingested, ingest
from shared.models import BodyPart, Feedback, Run, StoredRun
from shared.store import Store
from shared.store.sqlite import SqliteStore
from shared.traces import RawRun, Reading, read, run_records
from shared.traces.times import micros
from tests.shared.test_traces import DATA, data_is_here, nasty_objects

A = "019c5e97-f228-7e20-93ef-61ee3479e880"
B = "019c5e97-f229-7a42-9c92-86e3be4ca393"
C = "019c5e98-5524-7711-96c4-7b0763d22c39"
START, END = "2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z"
WORKSPACE = "w"


class FakeStore:
    """The methods that ingest uses, over a dict; nobody gives feedback."""

    def __init__(self) -> None:
        self.saved: dict[str, StoredRun] = {}
        self.writes: list[int] = []

    async def save_runs(self, runs: Sequence[StoredRun]) -> None:
        self.writes.append(len(runs))
        self.saved.update({each.run.id: each for each in runs})

    async def merge_runs(self, runs: Sequence[StoredRun]) -> set[str]:
        self.writes.append(len(runs))
        for each in runs:
            kept = self.saved[each.run.id].bodies if each.run.id in self.saved else {}
            self.saved[each.run.id] = replace(each, bodies={**kept, **each.bodies}, version="stored")
        return set()

    async def stored_runs(self, workspace_id: str, parts: Mapping[str, Collection[BodyPart]]) -> dict[str, StoredRun]:
        """Only the bodies that are asked for."""
        found = {run_id: self.saved[run_id] for run_id in parts if run_id in self.saved}
        return {
            run_id: replace(each, bodies={part: body for part, body in each.bodies.items() if part in parts[run_id]})
            for run_id, each in found.items()
        }

    async def runs(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, Run]:
        return {run_id: self.saved[run_id].run for run_id in run_ids if run_id in self.saved}

    async def feedback_scores(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, dict[str, list[Any]]]:
        return {}

    def run(self, run_id: str) -> Run:
        return self.saved[run_id].run

    def body(self, run_id: str, part: BodyPart) -> Any:
        return bodies.unpack(self.saved[run_id].bodies[part])


async def save(store: FakeStore, *lines: Any, project: str = "p", at: int = 5, **options: Any) -> Ingested:
    raw = "\n".join(json.dumps(line) for line in lines).encode()
    return await ingest(cast(Store, store), WORKSPACE, project, Reading(io.BytesIO(raw)), received_at=at, **options)


async def saved(line: dict[str, Any]) -> Run:
    store = FakeStore()
    await save(store, {"id": A, "inputs": {}, **line})
    return store.run(A)


def post(run_id: str, **fields: Any) -> dict[str, Any]:
    return {"operation": "post", "id": run_id, **fields}


def patch(run_id: str, **fields: Any) -> dict[str, Any]:
    return {"operation": "patch", "id": run_id, **fields}


class TestMerge:
    lines = (
        post(
            A,
            name="agent",
            run_type="llm",
            start_time=START,
            inputs={"q": 1},
            outputs={},
            extra={"metadata": {"session_id": "s"}, "runtime": {"sdk": "x"}},
            trace_id=A,
        ),
        patch(
            A,
            name=None,
            end_time=END,
            inputs=None,
            outputs={"a": 2},
            error=None,
            extra={"metadata": {"usage_metadata": {"input_tokens": 3, "output_tokens": 4}}},
        ),
    )

    @pytest.mark.parametrize("batch", [1, 500])
    @pytest.mark.parametrize("turned", [False, True])
    async def test_post_and_patch_become_one_run_in_any_order_and_in_any_batch(self, batch: int, turned: bool) -> None:
        store = FakeStore()
        counts = await save(store, *(reversed(self.lines) if turned else self.lines), batch=batch)
        run = store.run(A)
        assert counts == Ingested(runs=1, traces=1, duplicates=0)
        assert (run.name, run.run_type, run.status, run.latency) == ("agent", "llm", "success", 2.0)
        assert run.thread_id == "s"
        assert (run.prompt_tokens, run.completion_tokens, run.total_tokens) == (3, 4, 7)
        assert (store.body(A, "inputs"), store.body(A, "outputs")) == ({"q": 1}, {"a": 2})
        assert store.body(A, "extra")["runtime"] == {"sdk": "x"}

    async def test_a_patch_that_comes_first_and_knows_little_leaves_trace_and_parent_to_its_post(self) -> None:
        store = FakeStore()
        await save(store, patch(C, end_time=END))
        assert store.run(C).parent_run_id is None
        await save(store, post(C, parent_run_id=B, trace_id=A))
        assert (store.run(C).trace_id, store.run(C).parent_run_id) == (A, B)

    async def test_a_post_alone_is_pending_and_its_patch_ends_it(self) -> None:
        store = FakeStore()
        await save(store, self.lines[0])
        assert store.run(A).status == "pending"
        await save(store, self.lines[1])
        assert store.run(A).status == "success"

    async def test_the_same_post_again_changes_nothing(self) -> None:
        store = FakeStore()
        await save(store, *self.lines)
        before = store.run(A)
        await save(store, self.lines[0], at=9)
        assert store.run(A) == before

    async def test_an_error_stays_when_the_other_half_has_none(self) -> None:
        store = FakeStore()
        await save(store, patch(A, end_time=END, error="ValueError: no\ntrace"), batch=1)
        await save(store, post(A, start_time=START, error=None))
        assert (store.run(A).status, store.run(A).error) == ("error", "ValueError: no")
        assert store.body(A, "error") == "ValueError: no\ntrace"

    async def test_numbers_of_an_earlier_half_are_kept_and_new_ones_win(self) -> None:
        store = FakeStore()
        await save(store, post(A, prompt_tokens=1, completion_tokens=1, total_cost=0.5, tags=["x"]))
        await save(store, patch(A, outputs={"usage_metadata": {"input_tokens": 5, "output_tokens": 6}}))
        run = store.run(A)
        assert (run.prompt_tokens, run.total_tokens, run.total_cost, run.tags) == (5, 11, 0.5, ("x",))

    async def test_a_patch_does_not_move_a_run_to_another_project_or_time(self) -> None:
        store = FakeStore()
        await save(store, self.lines[0], project="first", at=1)
        await save(store, self.lines[1], project="second", at=2)
        assert (store.run(A).project_id, store.run(A).received_at) == ("first", 1)

    async def test_a_whole_run_replaces_what_is_stored(self) -> None:
        store = FakeStore()
        await save(store, *self.lines)
        await save(store, {"id": A, "inputs": {"q": 9}})
        assert store.run(A).thread_id is None
        assert set(store.saved[A].bodies) == {"inputs"}

    async def test_of_one_id_the_last_wins_and_the_others_are_counted(self) -> None:
        for batch in (1, 500):
            store = FakeStore()
            counts = await save(store, *({"id": A, "inputs": number} for number in (1, 2, 3)), batch=batch)
            assert counts == Ingested(runs=1, traces=1, duplicates=2)
            assert store.body(A, "inputs") == 3


class TestTraces:
    async def test_child_runs_are_runs_of_their_own_in_their_roots_trace(self) -> None:
        store = FakeStore()
        counts = await save(
            store, {"id": A, "inputs": 1, "child_runs": [{"id": B, "inputs": 2, "child_runs": [{"id": C}]}]}
        )
        assert (counts.runs, counts.traces) == (3, 1)
        assert {run.run.trace_id for run in store.saved.values()} == {A}
        assert store.run(C).parent_run_id == B

    async def test_dotted_order_tells_trace_parent_and_start(self) -> None:
        store = FakeStore()
        dotted = f"20260101T000000000000Z{A}.20260101T000001000000Z{B}.20260101T000002000000Z{C}"
        await save(store, {"id": C, "inputs": {}, "dotted_order": dotted})
        run = store.run(C)
        assert (run.trace_id, run.parent_run_id, run.start_time) == (A, B, micros(END))

    @pytest.mark.parametrize("order", [(A, B, C), (C, B, A), (B, A, C)])
    async def test_parents_alone_tell_the_trace_within_a_batch(self, order: tuple[str, ...]) -> None:
        parents = {A: None, B: A, C: B}
        store = FakeStore()
        await save(store, *({"id": run_id, "inputs": 1, "parent_run_id": parents[run_id]} for run_id in order))
        assert {each.run.trace_id for each in store.saved.values()} == {A}

    async def test_parents_alone_tell_the_trace_over_batches_if_they_come_first(self) -> None:
        parents = {A: None, B: A, C: B}
        store = FakeStore()
        await save(
            store, *({"id": key, "inputs": 1, "parent_run_id": value} for key, value in parents.items()), batch=1
        )
        assert {each.run.trace_id for each in store.saved.values()} == {A}

    async def test_a_ring_of_parents_ends(self) -> None:
        store = FakeStore()
        ring = ({"id": A, "inputs": 1, "parent_run_id": B}, {"id": B, "inputs": 1, "parent_run_id": A})
        assert (await save(store, *ring)).traces == 0
        assert store.run(A).trace_id == store.run(B).trace_id

    async def test_a_run_that_is_its_own_parent_is_a_root(self) -> None:
        assert (await saved({"parent_run_id": A})).parent_run_id is None


class TestBatches:
    async def test_runs_are_saved_in_batches_as_they_are_read(self) -> None:
        """What is not asked for yet is not read: memory does not grow with the file."""
        store = FakeStore()
        ahead: list[int] = []

        def source() -> Iterator[RawRun]:
            for number in range(25):
                ahead.append(number - sum(store.writes))
                yield from run_records({"id": str(number), "inputs": number})

        heard: list[int] = []
        counts = await ingest(
            cast(Store, store), WORKSPACE, "p", source(), received_at=1, batch=10, progress=heard.append
        )
        assert (counts.runs, store.writes, heard) == (25, [10, 10, 5], [10, 20, 25])
        assert max(ahead) == 9

    async def test_long_lines_make_short_batches(self) -> None:
        store = FakeStore()
        large = ({"id": str(number), "inputs": "x" * 9_000_000} for number in range(8))
        await save(store, *large)
        assert store.writes == [4, 4]


class TestDocument:
    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"status": "error"}, "error"),
            ({"status": "pending", "end_time": END}, "pending"),
            ({"status": "odd", "error": "x"}, "error"),
            ({"error": "x", "start_time": START}, "error"),
            ({"error": "", "outputs": {"a": 1}}, "success"),
            ({"start_time": START, "end_time": END}, "success"),
            ({"start_time": START, "outputs": {"a": 1}}, "success"),
            ({"start_time": START, "outputs": {}}, "pending"),
            ({}, "success"),
        ],
    )
    async def test_the_status_is_told_or_follows(self, fields: dict[str, Any], status: str) -> None:
        assert (await saved(fields)).status == status

    @pytest.mark.parametrize(
        ("metadata", "thread"),
        [
            ({"thread_id": "t", "conversation_id": "c", "session_id": "s"}, "s"),
            ({"thread_id": "t", "conversation_id": "c", "session_id": None}, "c"),
            ({"thread_id": 7}, "7"),
            ({"session_id": {"odd": 1}, "thread_id": "t"}, "t"),
            ({}, None),
        ],
    )
    async def test_the_thread_is_the_first_of_three_names(self, metadata: dict[str, Any], thread: str | None) -> None:
        assert (await saved({"extra": {"metadata": metadata}})).thread_id == thread

    @pytest.mark.parametrize(
        ("fields", "tokens"),
        [
            ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 4}, (1, 2, 4)),
            ({"prompt_tokens": 1, "completion_tokens": 2}, (1, 2, 3)),
            ({"prompt_tokens": 0, "completion_tokens": 0}, (0, 0, 0)),
            ({"prompt_tokens": 1}, (1, None, None)),
            ({"outputs": {"usage_metadata": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}}}, (1, 2, 3)),
            ({"extra": {"metadata": {"usage_metadata": {"input_tokens": 1}}}}, (1, None, None)),
            ({"outputs": {"llm_output": {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}}}}, (1, 2, 3)),
            ({"outputs": {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}}, (1, 2, 3)),
            (
                {
                    "outputs": {
                        "generations": [
                            [
                                {"message": {"kwargs": {"usage_metadata": {"input_tokens": 1, "output_tokens": 2}}}},
                                {"message": {"usage_metadata": {"input_tokens": 10, "output_tokens": 20}}},
                            ]
                        ]
                    }
                },
                (11, 22, 33),
            ),
            ({"extra": {"metadata": {"total_tokens": 9}}}, (None, None, 9)),
            ({"prompt_tokens": None, "outputs": {"usage": {"prompt_tokens": 5}}}, (5, None, None)),
            ({"prompt_tokens": True, "completion_tokens": float("nan"), "total_tokens": -1}, (None, None, None)),
            ({"prompt_tokens": 10**30, "completion_tokens": 1.5, "total_tokens": "7"}, (None, None, 7)),
            ({"outputs": {"generations": [7, [None, {"message": "x"}]]}}, (None, None, None)),
        ],
    )
    async def test_tokens_come_from_the_first_place_that_has_any(
        self, fields: dict[str, Any], tokens: tuple[int | None, ...]
    ) -> None:
        run = await saved(fields)
        assert (run.prompt_tokens, run.completion_tokens, run.total_tokens) == tokens

    async def test_costs_may_be_text_and_come_from_another_place_than_tokens(self) -> None:
        run = await saved({"prompt_tokens": 1, "outputs": {"usage_metadata": {"input_cost": "0.5", "output_cost": 1}}})
        assert (run.prompt_cost, run.completion_cost, run.total_cost) == (0.5, 1.0, 1.5)

    async def test_an_error_is_its_first_line_and_the_whole_is_a_body(self) -> None:
        store = FakeStore()
        error = "\n" + "x" * 600 + "\nrest"
        await save(store, {"id": A, "inputs": {}, "error": error})
        assert store.run(A).error == "x" * 500
        assert store.body(A, "error") == error

    async def test_an_error_that_is_no_text_is_one_all_the_same(self) -> None:
        run = await saved({"error": {"code": 7}})
        assert (run.status, run.error) == ("error", '{"code": 7}')

    async def test_feedback_is_read_and_what_is_none_is_left_out(self) -> None:
        stats = {"stars": {"n": 2, "avg": 0.5}, "note": {"n": 1, "avg": None}, "odd": "x", "bad": {"avg": 1}, "one": 1}
        assert (await saved({"feedback_stats": stats})).feedback == {
            "stars": Feedback(n=2, avg=0.5),
            "note": Feedback(n=1),
            "one": Feedback(n=1, avg=1.0),
        }

    async def test_tags_are_the_strings_of_a_list(self) -> None:
        assert (await saved({"tags": ["a", 7, None, "b"]})).tags == ("a", "b")
        assert (await saved({"tags": "a"})).tags == ()

    async def test_what_the_source_lacks_is_unknown_and_never_zero(self) -> None:
        run = await saved({})
        unknown = ("start_time", "end_time", "total_tokens", "total_cost", "thread_id", "error", "latency")
        assert [getattr(run, name) for name in unknown] == [None] * len(unknown)

    @settings(deadline=None)
    @given(nasty_objects, nasty_objects)
    async def test_no_values_break_it(self, first: Any, second: Any) -> None:
        """Whatever the types, each of these is a run; and merging it with another is one too."""
        store = FakeStore()
        objects = [value for value in (first, second) if isinstance(value, dict)]
        records = [
            record for value in objects for record in run_records({**value, "id": A, "child_runs": None}, "post")
        ]
        for batch in (1, 9):
            counts = await ingest(cast(Store, store), WORKSPACE, "p", records, received_at=1, batch=batch)
            assert counts.runs == bool(records)
            for each in store.saved.values():
                each.run.model_dump()
                assert str(UUID(each.run.trace_id)) == each.run.trace_id


class TestSqlite:
    async def test_posts_and_patches_are_merged_in_a_real_store(self, tmp_path: Path) -> None:
        store = await SqliteStore.open(f"sqlite:///{tmp_path / 'insights.db'}")
        await store.init()
        try:
            lines = [json.dumps(line).encode() for line in reversed(TestMerge.lines)]
            for line in lines:
                await ingest(store, WORKSPACE, "p", Reading(io.BytesIO(line)), received_at=1)
            (run,) = await store.root_runs(WORKSPACE, "p")
            found = await store.bodies(WORKSPACE, [A], ["inputs", "outputs"])
        finally:
            await store.close()
        assert (run.id, run.latency, run.thread_id, run.total_tokens) == (A, 2.0, "s", 7)
        assert {part: bodies.unpack(body) for part, body in found[A].items()} == {
            "inputs": {"q": 1},
            "outputs": {"a": 2},
        }


@data_is_here
class TestPublicData:
    async def test_ingest_records_in_any_order_are_the_runs_that_were_merged_by_hand(self) -> None:
        """Halves that come in a random order, a few at a time, give the same as the merged file, body for body."""
        whole, merged = FakeStore(), FakeStore()
        counts = await ingest(
            cast(Store, whole), WORKSPACE, "p", read(DATA / "traces_langsmith_native.jsonl"), received_at=1
        )
        files = sorted((DATA / "formats" / "langsmith").glob("*.jsonl"))
        halves = [record for path in files for record in read(path)]
        random.Random(7).shuffle(halves)
        again = await ingest(cast(Store, merged), WORKSPACE, "p", halves, received_at=1, batch=7)
        assert counts == again == Ingested(runs=73, traces=5, duplicates=0)
        assert merged.saved.keys() == whole.saved.keys()
        for run_id, expected in whole.saved.items():
            assert merged.run(run_id) == expected.run
            for part in ("inputs", "outputs", "extra"):
                assert merged.saved[run_id].bodies.get(part) == expected.bodies.get(part)
