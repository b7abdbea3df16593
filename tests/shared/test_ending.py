"""An item and a job end once, with a reason; their events may come more than once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.ending import REASON_LENGTH, UNFINISHED, end_item, fail_job, refuse_job
from shared.events import DeadLetter, Event, ItemEnded, JobReported
from shared.job_config import JobConfig
from shared.models import FINAL, OPEN, Item, ItemState, Job, JobState
from shared.store import Store, connect

W, J = "w", "j"
ENDED = ItemEnded(workspace_id=W, job_id=J, item_id="a")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    await store.init()
    yield store
    await store.close()


class Published:
    def __init__(self) -> None:
        self.events: list[Event | DeadLetter] = []

    async def __call__(self, event: Event | DeadLetter) -> None:
        self.events.append(event)


@pytest.fixture
def publish() -> Published:
    return Published()


async def insert_item(store: Store, state: ItemState, **fields: Any) -> None:
    await store.insert_items([Item(workspace_id=W, job_id=J, id="a", run_ids=("a",), state=state, **fields)])


async def insert_job(store: Store, state: JobState) -> None:
    config: dict[str, Any] = {"project_id": "p", "name": "n", "created_at": 1, "received_before": 2}
    await store.insert_job(Job(workspace_id=W, id=J, config=JobConfig(), state=state, **config))


@pytest.mark.parametrize("target", FINAL)
@pytest.mark.parametrize("origin", OPEN)
async def test_an_open_item_ends_with_its_reason_and_its_changes(
    store: Store, publish: Published, origin: ItemState, target: ItemState
) -> None:
    await insert_item(store, origin)
    await end_item(store, publish, W, J, "a", target, "why", attributes={"topic": None})
    found = await store.item(W, J, "a")
    assert found is not None
    assert (found.state, found.reason, found.attributes) == (target, "why", {"topic": None})
    assert publish.events == [ENDED]


@pytest.mark.parametrize("state", FINAL)
async def test_the_first_end_stands_and_a_second_only_publishes_again(
    store: Store, publish: Published, state: ItemState
) -> None:
    """The first may have died between the store and the bus."""
    await insert_item(store, state, reason="first", attributes={"topic": "refund"})
    before = await store.item(W, J, "a")
    await end_item(store, publish, W, J, "a", ItemState.FAILED, "second", attributes={})
    assert await store.item(W, J, "a") == before
    assert publish.events == [ENDED]


async def test_an_item_that_does_not_exist_has_no_end(store: Store, publish: Published) -> None:
    """Its job was deleted: an event about it would die in every reader."""
    await end_item(store, publish, W, J, "a", ItemState.FAILED, "why")
    assert await store.item(W, J, "a") is None
    assert publish.events == []


async def test_a_reason_is_cut_so_that_events_stay_small(store: Store, publish: Published) -> None:
    await insert_item(store, ItemState.RELEASED)
    await insert_job(store, JobState.RUNNING)
    await end_item(store, publish, W, J, "a", ItemState.FAILED, "x" * 10_000)
    await fail_job(store, publish, W, J, "x" * 10_000)
    found, job = await store.item(W, J, "a"), await store.job(W, J)
    assert found is not None
    assert job is not None
    assert found.reason == job.error == "x" * REASON_LENGTH
    [reported] = [event for event in publish.events if isinstance(event, JobReported)]
    assert reported.error == "x" * REASON_LENGTH


@pytest.mark.parametrize("state", UNFINISHED)
async def test_a_job_fails_from_every_state_in_which_it_is_under_way(
    store: Store, publish: Published, state: JobState
) -> None:
    await insert_job(store, state)
    await fail_job(store, publish, W, J, "No trace.")
    job = await store.job(W, J)
    assert job is not None
    assert (job.state, job.error) == (JobState.ERROR, "No trace.")
    assert job.ended_at is not None
    assert publish.events == [JobReported(workspace_id=W, job_id=J, status="error", error="No trace.")]


@pytest.mark.parametrize("state", [state for state in JobState if state not in UNFINISHED])
async def test_a_job_that_has_ended_stays_as_it_is(store: Store, publish: Published, state: JobState) -> None:
    await insert_job(store, state)
    before = await store.job(W, J)
    await fail_job(store, publish, W, J, "Too late.")
    assert await store.job(W, J) == before
    assert not [event for event in publish.events if getattr(event, "error", None) == "Too late."]


async def test_a_job_that_does_not_exist_has_no_end(store: Store, publish: Published) -> None:
    await fail_job(store, publish, W, J, "No trace.")
    assert publish.events == []


async def test_a_reason_with_half_a_character_ends_item_and_job_with_events_that_can_be_sent(
    store: Store, publish: Published
) -> None:
    """A reason may quote a trace; no JSON for the bus can hold a lone surrogate."""
    await insert_item(store, ItemState.RELEASED)
    await insert_job(store, JobState.RUNNING)
    await end_item(store, publish, W, J, "a", ItemState.FAILED, "half \ud83d")
    await fail_job(store, publish, W, J, "half \ud83d")
    found = await store.item(W, J, "a")
    assert found is not None
    assert found.reason == "half \ufffd"
    assert [event.model_dump_json() for event in publish.events][1].count("half \ufffd") == 1


async def test_a_request_that_no_job_came_of_is_answered_all_the_same(store: Store, publish: Published) -> None:
    """Its program waits for job.reported, and reads no dead letters."""
    await refuse_job(store, publish, W, J, "half \ud83d" + "x" * 10_000)
    [reported] = publish.events
    assert isinstance(reported, JobReported)
    assert (reported.status, reported.error) == ("error", "half \ufffd" + "x" * (REASON_LENGTH - 6))
    assert reported.model_dump_json()
    assert await store.job(W, J) is None


async def test_a_refused_request_for_a_job_that_exists_ends_it_and_is_answered_once(
    store: Store, publish: Published
) -> None:
    await insert_job(store, JobState.QUEUED)
    await refuse_job(store, publish, W, J, "No.")
    job = await store.job(W, J)
    assert job is not None
    assert job.state is JobState.ERROR
    assert publish.events == [JobReported(workspace_id=W, job_id=J, status="error", error="No.")]
