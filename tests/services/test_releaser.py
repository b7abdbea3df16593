"""A job's items go into the pipeline a few at a time, by one process at a time."""

import asyncio
from typing import Any

import pytest

from services.summarizer.releaser import Releaser, lease_name
from shared.config import Settings
from shared.errors import UnavailableError
from shared.events import DeadLetter, Event, ItemSampled, JobRequested
from shared.models import ItemState, JobState
from shared.store.sqlite import SqliteStore
from tests.services.conftest import NEVER_LAPSES, J, Published, W, item, job

IN_FLIGHT = 3
A_MOMENT = 1e-6  # seconds: a lease that has lapsed when it is looked at again


async def running_job(store: SqliteStore, items: int, **fields: Any) -> None:
    given = job(JobState.RUNNING, **fields)
    await store.insert_job(given)
    await store.insert_items([item(f"{n:03}", job_id=given.id) for n in range(items)])


def sampled_ids(publish: Published) -> list[str]:
    return sorted(event.item_id for event in publish.of(ItemSampled))


def lapsing(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_seconds": A_MOMENT})


async def test_no_more_than_the_setting_are_in_work_until_the_last_is_done(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    """A summarised item is still in work: the room comes free when it ends. In the end each was published once."""
    await running_job(store, 10)
    releaser = Releaser(store, publish, settings, "me")
    most = 0
    for step in range(20):
        await releaser.round()
        most = max(most, await store.count_in_flight(W, J))
        at_work = await store.items(W, J, states={ItemState.RELEASED, ItemState.SUMMARIZED})
        if at_work:
            target = ItemState.SUMMARIZED if step % 2 == 0 else ItemState.DONE
            await store.move_item(W, J, at_work[0].id, {ItemState.RELEASED, ItemState.SUMMARIZED}, target)
    assert most == IN_FLIGHT
    assert sampled_ids(publish) == [f"{n:03}" for n in range(10)]


async def test_a_round_says_how_many_it_released(store: SqliteStore, publish: Published, settings: Settings) -> None:
    await running_job(store, 4)
    releaser = Releaser(store, publish, settings, "me")
    assert [await releaser.round(), await releaser.round()] == [3, 0]
    await store.move_item(W, J, "000", {ItemState.RELEASED}, ItemState.FAILED)
    assert await releaser.round() == 1


async def test_each_job_has_room_of_its_own(store: SqliteStore, publish: Published, settings: Settings) -> None:
    await running_job(store, 5)
    await running_job(store, 2, id="k")
    assert await Releaser(store, publish, settings, "me").round() == 5


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.RUNNING])
async def test_only_a_running_job_is_released(
    store: SqliteStore, publish: Published, settings: Settings, state: JobState
) -> None:
    await store.insert_job(job(state))
    await store.insert_items([item("a")])
    assert await Releaser(store, publish, settings, "me").round() == 0
    assert publish.events == []


async def test_a_new_owner_publishes_again_what_is_in_flight(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    """Its predecessor may have died between the store and the bus. What has ended is not published again."""
    await running_job(store, 0)
    states = (ItemState.RELEASED, ItemState.SUMMARIZED, ItemState.DONE, ItemState.FAILED, ItemState.LEFT_OUT)
    await store.insert_items([item(f"{state}", state) for state in states])
    assert await Releaser(store, publish, settings, "me").round() == 0
    assert sampled_ids(publish) == ["released", "summarized"]


async def test_more_than_a_page_in_flight_is_published_again(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await running_job(store, 0)
    await store.insert_items([item(f"{n:04}", ItemState.RELEASED) for n in range(2_000)])
    await Releaser(store, publish, settings, "me").round()
    assert sampled_ids(publish) == [f"{n:04}" for n in range(2_000)]


async def test_an_owner_publishes_what_is_in_flight_once_and_not_each_round(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await running_job(store, 2)
    releaser = Releaser(store, publish, settings, "me")
    for _ in range(3):
        await releaser.round()
    assert sampled_ids(publish) == ["000", "001"]


async def test_of_two_releasers_one_works(store: SqliteStore, publish: Published, settings: Settings) -> None:
    await running_job(store, 10)
    first, second = (Releaser(store, publish, settings, owner) for owner in ("first", "second"))
    assert [await first.round(), await second.round()] == [3, 0]
    await store.move_item(W, J, "000", {ItemState.RELEASED}, ItemState.DONE)
    assert [await second.round(), await first.round()] == [0, 1]
    assert sampled_ids(publish) == ["000", "001", "002", "003"]


async def test_a_releaser_that_lost_its_lease_stops_and_the_new_owner_takes_over(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await running_job(store, 10)
    first = Releaser(store, publish, lapsing(settings), "first")
    await first.round()
    second = Releaser(store, publish, settings, "second")
    publish.take()
    await second.round()
    assert sampled_ids(publish) == ["000", "001", "002"]  # again, since the first may have died
    await store.move_item(W, J, "000", {ItemState.RELEASED}, ItemState.DONE)
    publish.take()
    assert [await first.round(), await second.round()] == [0, 1]
    assert sampled_ids(publish) == ["003"]


async def test_a_lease_that_was_lost_and_won_back_is_a_new_one(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    """What the owner in between left unpublished comes then."""
    await running_job(store, 3)
    first = Releaser(store, publish, lapsing(settings), "first")
    await first.round()
    await store.acquire_lease(lease_name(job()), "second", NEVER_LAPSES)
    await first.round()
    await store.release_lease(lease_name(job()), "second")
    publish.take()
    await first.round()
    assert sampled_ids(publish) == ["000", "001", "002"]


class Unsteady(Published):
    """A bus that is away for the first event, and tells when one was published."""

    def __init__(self, wanted: type[Event]) -> None:
        super().__init__()
        self.refusals = 1
        self.seen = asyncio.Event()
        self._wanted = wanted

    async def __call__(self, event: Event | DeadLetter) -> None:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("The bus is away.")
        await super().__call__(event)
        if isinstance(event, self._wanted):
            self.seen.set()


async def until_seen(releaser: Releaser, publish: Unsteady) -> None:
    task = asyncio.create_task(releaser.run())
    await asyncio.wait(
        {task, asyncio.create_task(publish.seen.wait())}, return_when=asyncio.FIRST_COMPLETED, timeout=20
    )
    assert not task.done(), task.exception()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert publish.seen.is_set()


async def test_a_bus_that_was_away_gets_what_it_missed(
    store: SqliteStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The item was released in the store, and its event was lost: the next round publishes it again."""
    monkeypatch.setattr("services.summarizer.releaser.AFTER_ERROR", 0.0)
    await running_job(store, 1)
    publish = Unsteady(ItemSampled)
    await until_seen(Releaser(store, publish, settings, "me"), publish)
    assert sampled_ids(publish) == ["000"]


async def test_a_job_whose_preparation_was_broken_off_is_asked_for_again(
    store: SqliteStore, settings: Settings
) -> None:
    """What the gateway has not announced is its own to announce."""
    await store.insert_job(job())
    await store.insert_job(job(id="k", announced=False))
    publish = Unsteady(JobRequested)
    publish.refusals = 0
    often = settings.model_copy(update={"sweep_seconds": A_MOMENT})
    await until_seen(Releaser(store, publish, often, "me"), publish)
    assert {event.job_id for event in publish.of(JobRequested)} == {J}
