"""extract_attributes: a summarised item gets its attributes and ends."""

from typing import Any

import pytest

from services.attribute_extractor import local
from services.attribute_extractor.handlers import extract_attributes
from shared.errors import InvalidEventError
from shared.events import ItemEnded, ItemSummarized
from shared.frozen import FrozenJobs
from shared.models import FINAL, Item, ItemState, JobState
from shared.store.sqlite import SqliteStore
from tests.services.conftest import PLAN, J, Published, W, item, job

EVENT = ItemSummarized(workspace_id=W, job_id=J, item_id="a")
ENDED = ItemEnded(workspace_id=W, job_id=J, item_id="a")
SCHEMAS = {"attribute_schemas": {"topic": {"type": "string"}, "angry": {"type": "boolean", "filter_by": True}}}
UNKNOWN = {"topic": None, "angry": None}


async def summarized(store: SqliteStore, state: ItemState = ItemState.SUMMARIZED, **fields: Any) -> FrozenJobs:
    await store.insert_job(job(JobState.RUNNING, SCHEMAS))
    await store.insert_plan(PLAN)
    await store.insert_items([item("a", state, summary="words", features=b"w1", **fields)])
    return FrozenJobs(store)


async def stored(store: SqliteStore) -> Item:
    found = await store.item(W, J, "a")
    assert found is not None
    return found


async def test_a_summarised_item_is_done_with_every_attribute_of_the_job(
    store: SqliteStore, publish: Published
) -> None:
    await extract_attributes(EVENT, store, publish, await summarized(store))
    found = await stored(store)
    assert (found.state, found.attributes) == (ItemState.DONE, UNKNOWN)
    assert (found.summary, found.features) == ("words", b"w1")
    assert publish.events == [ENDED]


async def test_a_second_delivery_publishes_again_and_changes_nothing(store: SqliteStore, publish: Published) -> None:
    """A crash between the store and the bus is healed by it."""
    frozen_jobs = await summarized(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs)
    before = await stored(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs)
    assert await stored(store) == before
    assert publish.events == [ENDED, ENDED]


@pytest.mark.parametrize("state", FINAL)
async def test_an_item_that_has_ended_keeps_its_end(store: SqliteStore, publish: Published, state: ItemState) -> None:
    frozen_jobs = await summarized(store, state, reason="why", attributes={"topic": "refund"})
    before = await stored(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs)
    assert await stored(store) == before
    assert publish.events == [ENDED]


@pytest.mark.parametrize("state", [ItemState.PENDING, ItemState.RELEASED])
async def test_an_item_without_its_summary_is_not_ended_by_an_event_that_comes_too_early(
    store: SqliteStore, publish: Published, state: ItemState
) -> None:
    """Any program can publish one; the item would be done without ever having been read."""
    frozen_jobs = await summarized(store, state)
    before = await stored(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs)
    assert await stored(store) == before
    assert publish.events == []


async def test_an_item_that_does_not_exist_makes_the_event_invalid(store: SqliteStore, publish: Published) -> None:
    with pytest.raises(InvalidEventError, match="There is no item a in job j"):
        await extract_attributes(EVENT, store, publish, FrozenJobs(store))
    assert publish.events == []


def test_without_a_model_every_attribute_is_unknown_and_none_is_made_up() -> None:
    assert local.extract(job(config=SCHEMAS), item("a")) == UNKNOWN
    assert local.extract(job(), item("a")) == {}
