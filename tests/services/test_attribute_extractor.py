"""extract_attributes: a summarised item gets its attributes and ends."""

from typing import Any

import pytest

from services.attribute_extractor.handlers import extract_attributes
from shared.asking import Asker
from shared.embedding.worker import Embedder
from shared.errors import InvalidEventError
from shared.events import ItemEnded, ItemSummarized
from shared.frozen import FrozenJobs
from shared.models import FINAL, Item, ItemState, JobState
from shared.store.sqlite import SqliteStore
from tests.services.conftest import PLAN, J, Published, W, item, job, trace
from tests.services.words import WordEmbedder

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
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    await extract_attributes(EVENT, store, publish, await summarized(store), embedder, asker)
    found = await stored(store)
    assert (found.state, found.attributes) == (ItemState.DONE, UNKNOWN)
    assert (found.summary, found.features) == ("words", b"w1")
    assert publish.events == [ENDED]


async def test_a_second_delivery_publishes_again_and_changes_nothing(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    """A crash between the store and the bus is healed by it."""
    frozen_jobs = await summarized(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs, embedder, asker)
    before = await stored(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs, embedder, asker)
    assert await stored(store) == before
    assert publish.events == [ENDED, ENDED]


@pytest.mark.parametrize("state", FINAL)
async def test_an_item_that_has_ended_keeps_its_end(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker, state: ItemState
) -> None:
    frozen_jobs = await summarized(store, state, reason="why", attributes={"topic": "refund"})
    before = await stored(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs, embedder, asker)
    assert await stored(store) == before
    assert publish.events == [ENDED]


@pytest.mark.parametrize("state", [ItemState.PENDING, ItemState.RELEASED])
async def test_an_item_without_its_summary_is_not_ended_by_an_event_that_comes_too_early(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker, state: ItemState
) -> None:
    """Any program can publish one; the item would be done without ever having been read."""
    frozen_jobs = await summarized(store, state)
    before = await stored(store)
    await extract_attributes(EVENT, store, publish, frozen_jobs, embedder, asker)
    assert await stored(store) == before
    assert publish.events == []


async def test_an_item_that_does_not_exist_makes_the_event_invalid(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    with pytest.raises(InvalidEventError, match="There is no item a in job j"):
        await extract_attributes(EVENT, store, publish, FrozenJobs(store), embedder, asker)
    assert publish.events == []


async def extracted(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker, said: str, **schemas: Any
) -> Any:
    """The attributes of one item in which the user says this."""
    await store.save_runs([trace("a", said)])
    await store.insert_job(job(JobState.RUNNING, {"attribute_schemas": schemas}))
    await store.insert_plan(PLAN)
    await store.insert_items([item("a", ItemState.SUMMARIZED)])
    await extract_attributes(EVENT, store, publish, FrozenJobs(store), embedder, asker)
    return (await stored(store)).attributes


REFUND = {"type": "boolean", "description": "Whether the user wants a refund"}


async def test_what_the_prompt_chose_of_the_trace_is_read(store: SqliteStore, publish: Published, asker: Asker) -> None:
    said = "My jacket is torn. I want a refund. It was $30.50."
    price = {"type": "number", "description": "price in dollars"}
    found = await extracted(
        store, publish, WordEmbedder(), asker, said, wants_refund=REFUND, usd=price, topic={"type": "string"}
    )
    assert found == {"wants_refund": True, "usd": 30.5, "topic": None}


async def test_without_weights_numbers_are_known_and_all_else_is_null(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    said = "I want a refund of 12 dollars."
    kind = {"type": "string", "enum": ["refund", "login"]}
    found = await extracted(
        store, publish, embedder, asker, said, wants_refund=REFUND, kind=kind, refund_usd={"type": "number"}
    )
    assert found == {"wants_refund": None, "kind": None, "refund_usd": 12}


async def test_a_filter_attribute_leaves_nothing_out_where_its_value_is_not_known_surely(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    await extract_attributes(EVENT, store, publish, await summarized(store), embedder, asker)
    assert (await stored(store)).state is ItemState.DONE
