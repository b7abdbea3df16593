"""What every store promises of reports' pages, lists of jobs and saved configurations."""

import asyncio
import contextlib
import sqlite3
from typing import Any

import pytest

from shared import orders
from shared.models import Assignment, ItemState, JobState, SavedConfig
from shared.store import Store, connect
from shared.store.sqlite import path_of
from tests.contract.test_store import HARD, HARD_TEXT, OTHER, J, P, W, ids, item, job, same


def saved(config_id: str = "c", **fields: Any) -> SavedConfig:
    return SavedConfig(
        **{"workspace_id": W, "id": config_id, "project_id": P, "name": "n", "created_at": 1, "config": {}, **fields}
    )


class InsightsContract:
    # Places

    async def test_items_are_found_by_their_places_in_order(self, store: Store) -> None:
        await store.insert_items([item(name) for name in "abcd"] + [item("z", job_id="other")])
        placed = [Assignment(name, ("leaf",), 0.5, place=place) for name, place in (("d", 0), ("a", 1), ("c", 2))]
        await store.assign_items(W, J, 1, placed)
        await store.assign_items(W, "other", 1, [Assignment("z", ("leaf",), 0.5, place=0)])
        assert ids(await store.items_at(W, J, [2, 0])) == ["d", "c"]
        assert [one.place for one in await store.items_at(W, J, range(10))] == [0, 1, 2]
        assert await store.items_at(OTHER, J, [0]) == await store.items_at(W, J, []) == []

    async def test_an_order_is_kept_under_its_fence_and_goes_with_its_job(self, store: Store) -> None:
        await store.save_orders(W, J, 1, {"a b": b"old", "\x00": b""})
        await store.save_orders(W, J, 1, {"a b": b"\x01\x02"})
        assert await store.order(W, J, 1, "a b") == b"\x01\x02"
        assert await store.order(W, J, 1, "\x00") == b""
        assert await store.order(W, J, 2, "a b") is await store.order(OTHER, J, 1, "a b") is None
        await store.delete_job(W, J)
        assert await store.order(W, J, 1, "a b") is None

    async def test_what_waits_is_left_out_and_what_is_in_work_is_not(self, store: Store) -> None:
        await store.insert_items([item(name) for name in "abc"] + [item("z", job_id="other")])
        assert await store.release_items(W, J, 1) == ["a"]
        assert await store.leave_out_pending(W, J, HARD_TEXT) == 2
        assert await store.leave_out_pending(W, J, "again") == 0
        found = {one.id: (one.state, one.reason) for one in await store.items(W, J)}
        assert found["a"] == (ItemState.RELEASED, None)
        assert found["b"] == found["c"] == (ItemState.LEFT_OUT, HARD_TEXT)
        assert (await store.count_items(W, "other")) == {ItemState.PENDING: 1}

    # Lists of jobs

    async def test_jobs_are_paged_newest_first_also_those_of_one_configuration(self, store: Store) -> None:
        for at in range(6):
            await store.insert_job(job(f"j{at}", created_at=at, config_id="c" if at % 2 else None))
        await store.insert_job(job("elsewhere", project_id="other", config_id="c"))
        assert ids(await store.jobs(W, P, limit=2)) == ["j5", "j4"]
        assert ids(await store.jobs(W, P, offset=4, limit=5)) == ["j1", "j0"]
        assert await store.jobs(W, P, offset=9, limit=5) == await store.jobs(W, P, limit=0) == []
        assert ids(await store.jobs(W, P, config_id="c")) == ["j5", "j3", "j1"]
        assert ids(await store.jobs(W, P, config_id="c", offset=1, limit=1)) == ["j3"]

    async def test_a_job_is_renamed_whatever_its_state(self, store: Store) -> None:
        await store.insert_job(job(state=JobState.SUCCESS, decisions=(HARD_TEXT,), shape={HARD_TEXT: 3}))
        assert await store.rename_job(W, J, HARD_TEXT)
        expected = job(name=HARD_TEXT, state=JobState.SUCCESS, decisions=(HARD_TEXT,), shape={HARD_TEXT: 3})
        assert await store.job(W, J) == expected
        assert not await store.rename_job(OTHER, J, "x")

    # Configurations

    async def test_a_configuration_comes_back_equal_whatever_its_client_sent(self, store: Store) -> None:
        one = saved(name=HARD_TEXT, description=HARD_TEXT, schedule_cron="* * * * *", config=HARD)
        assert await store.insert_config(one)
        assert not await store.insert_config(saved(name="second"))
        assert same(await store.config(W, "c"), one)
        assert await store.config(OTHER, "c") is None

    async def test_configurations_are_listed_newest_first(self, store: Store) -> None:
        for at, name in enumerate("abc"):
            await store.insert_config(saved(name, created_at=at))
        await store.insert_config(saved("d", project_id="other"))
        assert [one.id for one in await store.configs(W, P)] == ["c", "b", "a"]
        assert [one.id for one in await store.configs(W, P, limit=1)] == ["c"]
        assert await store.configs(OTHER, P) == []

    async def test_of_two_changes_at_once_one_wins(self, store: Store) -> None:
        await store.insert_config(saved())
        changes = [saved(name=str(at), version=2) for at in range(8)]
        won = await asyncio.gather(*(store.replace_config(one, 1) for one in changes))
        assert won.count(True) == 1
        assert await store.config(W, "c") == changes[won.index(True)]

    async def test_a_deleted_configuration_is_gone_and_is_not_changed(self, store: Store) -> None:
        await store.insert_config(saved())
        await store.delete_config(OTHER, "c")
        assert await store.config(W, "c") is not None
        await store.delete_config(W, "c")
        assert await store.config(W, "c") is None
        assert not await store.replace_config(saved(version=2), 1)


class TestSqlite(InsightsContract):
    async def test_a_file_of_an_earlier_version_gets_places_as_numbers(self, store: Store, url: str) -> None:
        await store.insert_items([item(str(at)) for at in range(12)])
        await store.close()
        with contextlib.closing(sqlite3.connect(path_of(url))) as connection:
            connection.execute("DROP INDEX items_by_place")
            connection.execute("ALTER TABLE items DROP COLUMN place")
            for column in ("config_id", "decisions", "shape"):
                connection.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
        again = await connect(url)
        await again.assign_items(W, J, 1, [Assignment(str(at), ("leaf",), 0.5, place=at) for at in range(12)])
        assert [one.place for one in await again.items_at(W, J, [2, 10, 11])] == [2, 10, 11]
        await again.insert_job(job(config_id="c"))
        assert ids(await again.jobs(W, P, config_id="c")) == [J]
        await again.close()


class TestMongo(InsightsContract):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url


@pytest.mark.parametrize("descending", [False, True])
def test_an_order_is_by_value_with_the_unknown_last(descending: bool) -> None:
    """In either direction; of a part of the places, too."""
    body = orders.pack({0: 3, 1: 1.5, 2: 2, 5: -1, 6: float("inf")})
    known = [5, 1, 2, 0, 6]
    expected = (known[::-1] if descending else known) + [3, 4]
    assert orders.unpack(body, 0, 7, descending=descending).tolist() == expected
    part = [place for place in expected if 1 <= place < 4]
    assert orders.unpack(body, 1, 3, descending=descending).tolist() == part


def test_an_order_takes_whatever_values_occur() -> None:
    values = {0: "b", 1: "A", 2: True, 3: False, 4: float("nan"), 5: 10**400, 6: HARD_TEXT, 7: ["x"]}
    found = orders.unpack(orders.pack(values), 0, 8, descending=False).tolist()
    assert sorted(found) == list(range(8))
    assert found[:3] == [3, 2, 5]
    assert found.index(1) < found.index(0)
