"""How a job comes to be: its window frozen, its document stored before its event."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.errors import FilterError, PromptError, UnavailableError
from shared.events import DeadLetter, Event, JobRequested
from shared.job_config import JobConfig
from shared.jobs import HOUR, name_uuid, new_job, submit_job
from shared.models import Job, JobState, Project
from shared.store import Store, connect

W, AT = "w", 1_700_000_000_000_000
PROJECT = Project(workspace_id=W, id="p", name="Support", created_at=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    await store.init()
    yield store
    await store.close()


class Bus:
    """What was published; away for the first `failures` events."""

    def __init__(self, store: Store, failures: int = 0) -> None:
        self.events: list[Event | DeadLetter] = []
        self.known: list[bool] = []
        self._store, self._failures = store, failures

    async def __call__(self, event: Event | DeadLetter) -> None:
        if self._failures:
            self._failures -= 1
            raise UnavailableError("Away.")
        self.known.append(await self._store.job(W, "j") is not None)
        self.events.append(event)


def made(**config: Any) -> Job:
    return new_job(PROJECT, "j", JobConfig(**config), at=AT)


def test_a_job_takes_names_and_ids_of_its_project_unless_it_has_its_own() -> None:
    found = made()
    assert (found.workspace_id, found.project_id, found.name, found.state) == (W, "p", "Support", JobState.QUEUED)
    assert made(name="Mine").name == "Mine"
    assert not found.announced


def test_runs_that_arrived_up_to_the_moment_of_the_job_are_in_it_and_no_later_ones() -> None:
    assert made().received_before == AT + 1


def test_a_window_in_hours_is_frozen_when_the_job_is_made() -> None:
    """It holds what starts at this moment, and does not move while the job waits."""
    found = made(last_n_hours=1.5)
    assert (found.window_start, found.window_end) == (AT - HOUR * 3 // 2, AT + 1)


def test_a_window_in_dates_is_read_in_its_own_time_zone() -> None:
    found = made(start_time="2023-11-14T22:13:20+01:00", end_time="2023-11-14T22:13:20Z")
    assert (found.window_start, found.window_end) == (AT - HOUR, AT)
    assert (made().window_start, made().window_end) == (None, None)


def test_all_is_asked_for_as_none_and_a_sample_as_its_size() -> None:
    assert made().requested is None
    assert made(sample=7).requested == 7


def test_a_filter_or_a_prompt_that_does_not_parse_is_refused_before_a_job_exists() -> None:
    with pytest.raises(FilterError):
        made(filter="eq(status")
    with pytest.raises(PromptError):
        made(summary_prompt="{{run.inputs")


def test_the_same_parts_give_the_same_id_and_others_do_not() -> None:
    """The value is frozen: another one would give every item, cluster and job of `analyze` another id."""
    assert name_uuid("thread", "t") == "df874428-b8b9-548f-9e46-8df75721e1d0"
    assert UUID(name_uuid("a")).version == 5
    assert len({name_uuid("ab", "c"), name_uuid("a", "bc"), name_uuid("abc")}) == 3


def test_any_text_has_an_id_also_half_a_character() -> None:
    """Names of threads and projects come from traces."""
    assert len({name_uuid("thread", text) for text in ("\ud83d", "\ud83e", "\ufffd")}) == 3


async def test_a_job_is_stored_before_it_is_announced(store: Store) -> None:
    bus = Bus(store)
    await submit_job(store, bus, made())
    assert bus.events == [JobRequested(workspace_id=W, job_id="j")]
    assert bus.known == [True]
    assert await store.unannounced_jobs(AT + 1) == []


async def test_a_job_whose_event_was_not_published_waits_in_the_outbox(store: Store) -> None:
    bus = Bus(store, failures=1)
    with pytest.raises(UnavailableError):
        await submit_job(store, bus, made())
    assert [job.id for job in await store.unannounced_jobs(AT + 1)] == ["j"]


async def test_a_job_that_is_submitted_twice_stays_as_it_was_first(store: Store) -> None:
    """A client that repeats its request with the same id."""
    bus = Bus(store)
    await submit_job(store, bus, made(sample=7))
    await submit_job(store, bus, made(sample=8))
    found = await store.job(W, "j")
    assert found is not None
    assert (found.requested, found.announced) == (7, True)
