"""Runs that several write at once: what each store promises to those who merge halves of them."""

import asyncio
from typing import Any

import pytest

from shared.bodies import unpack
from shared.ingest import ingest
from shared.models import StoredRun
from shared.store import Store
from shared.traces import run_records
from shared.traces.record import Operation
from tests.contract.test_store import OTHER, W, run

RUN = "019c5e97-f228-7e20-93ef-61ee3479e880"


async def send(store: Store, operation: Operation, **fields: Any) -> None:
    await ingest(store, W, "p", run_records({"id": RUN, **fields}, operation), received_at=1)


async def stored(store: Store, run_id: str = "r") -> StoredRun | None:
    return (await store.stored_runs(W, {run_id: ["inputs", "outputs"]})).get(run_id)


class MergeContract:
    """Given an empty store, `store`, of either kind, and `other`, another client of the same one."""

    async def test_a_run_that_is_new_is_saved_once(self, store: Store, other: Store) -> None:
        assert await store.merge_runs([StoredRun(run("r", name="a"), {"inputs": b"1"})]) == set()
        assert await other.merge_runs([StoredRun(run("r", name="b"), {"inputs": b"2"})]) == {"r"}
        found = await stored(store)
        assert found is not None
        assert (found.run.name, found.bodies) == ("a", {"inputs": b"1"})

    async def test_who_comes_second_with_the_same_version_is_told_and_changes_nothing(
        self, store: Store, other: Store
    ) -> None:
        await store.save_runs([StoredRun(run("r"), {"inputs": b"1", "outputs": b"2"})])
        before = await stored(store)
        assert before is not None
        assert await store.merge_runs([StoredRun(run("r", name="a"), {"outputs": b"3"}, before.version)]) == set()
        late = [StoredRun(run("r", name="b"), {"inputs": b"4"}, before.version), StoredRun(run("s"), {"inputs": b"5"})]
        assert await other.merge_runs(late) == {"r"}
        after = await stored(store)
        assert after is not None
        assert (after.run.name, after.bodies) == ("a", {"inputs": b"1", "outputs": b"3"})
        assert await store.bodies(W, ["s"], ["inputs"]) == {"s": {"inputs": b"5"}}

    async def test_bodies_that_a_merge_does_not_bring_stay(self, store: Store) -> None:
        await store.merge_runs([StoredRun(run("r"), {"inputs": b"1", "events": b"2"})])
        before = await stored(store)
        assert before is not None
        large = b"x" * 9_000_000
        assert await store.merge_runs([StoredRun(run("r"), {"outputs": large}, before.version)]) == set()
        found = await store.bodies(W, ["r"], ["inputs", "outputs", "events"])
        assert found == {"r": {"inputs": b"1", "outputs": large, "events": b"2"}}

    async def test_only_the_bodies_that_are_asked_for_come_with_a_stored_run(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("r"), {"inputs": b"1", "outputs": b"2"}), StoredRun(run("s"))])
        found = await store.stored_runs(W, {"r": ["outputs", "error"], "s": ["inputs"], "t": []})
        assert {run_id: each.bodies for run_id, each in found.items()} == {"r": {"outputs": b"2"}, "s": {}}
        assert await store.stored_runs(OTHER, {"r": []}) == {}

    async def test_a_run_that_is_replaced_is_another_version(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("r"), {"inputs": b"1"})])
        before = await stored(store)
        await store.save_runs([StoredRun(run("r"), {"outputs": b"2"})])
        assert before is not None
        assert await store.merge_runs([StoredRun(run("r"), {}, before.version)]) == {"r"}
        found = await stored(store)
        assert found is not None
        assert found.bodies == {"outputs": b"2"}

    async def test_two_gateways_that_take_the_parts_of_one_run_at_once_lose_none(
        self, store: Store, other: Store
    ) -> None:
        """Each part tells another key of the metadata, so that a merge of an old version would lose one."""
        parts: list[tuple[Operation, dict[str, Any]]] = [
            ("post", {"inputs": {"q": 1}, "start_time": "2026-01-01T00:00:00Z"}),
            ("patch", {"outputs": {"a": 2}, "end_time": "2026-01-01T00:00:02Z"}),
            *(("patch", {"extra": {"metadata": {f"key {number}": number}}}) for number in range(8)),
        ]
        calls = [
            send(where, operation, **fields) for operation, fields in parts for where in (store, other)
        ]  # each of them comes twice
        await asyncio.gather(*calls)
        found = (await store.runs(W, [RUN]))[RUN]
        assert found.metadata == {f"key {number}": number for number in range(8)}
        assert (found.latency, found.status) == (2.0, "success")
        bodies = (await store.bodies(W, [RUN], ["inputs", "outputs"]))[RUN]
        assert {part: unpack(body) for part, body in bodies.items()} == {"inputs": {"q": 1}, "outputs": {"a": 2}}

    async def test_many_runs_of_many_writers_are_all_there(self, store: Store, other: Store) -> None:
        """Half of the runs are everybody's, the other half each writer's own."""

        async def write(where: Store, writer: int) -> None:
            names = [f"{'all' if number % 2 else writer}-{number}" for number in range(40)]
            records = [one for name in names for one in run_records({"id": name, "tags": [str(writer)]}, "post")]
            await ingest(where, W, "p", records, received_at=writer)

        await asyncio.gather(*(write(where, writer) for writer, where in enumerate([store, other] * 3)))
        assert len(await store.root_runs(W, "p")) == 20 + 6 * 20


class TestSqliteMerges(MergeContract):
    """On the default `url`."""


class TestMongoMerges(TestSqliteMerges):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url

    async def test_bodies_that_were_replaced_are_gone(self, store: Store, other: Store) -> None:
        """And those of a writer who came too late."""
        for _ in range(3):
            await store.save_runs([StoredRun(run("r"), {"inputs": b"1" * 9_000_000, "outputs": b"2"})])
        await other.merge_runs([StoredRun(run("r"), {"inputs": b"late"})])
        database: Any = store
        assert await database._database.bodies.count_documents({}) == 3  # two chunks, and one
