"""check_job, categorize_job and the sweeper: one owner, one report, and nothing hangs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.categorizer.handlers import categorize_job, check_job
from services.categorizer.sweeper import Sweeper
from shared.config import Settings
from shared.errors import InvalidEventError, JobError
from shared.events import Event, ItemEnded, JobCategorized, JobReady
from shared.models import FINAL, OPEN, ItemState, Job, JobState, Report
from shared.store.sqlite import SqliteStore
from tests.services.asking import no_asker
from tests.services.conftest import NEVER_LAPSES, J, Published, W, features, item, job, opened

READY = JobReady(workspace_id=W, job_id=J)
ENDED = ItemEnded(workspace_id=W, job_id=J, item_id="a")
LEASE = f"categorize/{W}/{J}"
TEXTS = ("refund money back", "parcel lost courier", "reset my password")


def categorized(fence: int) -> JobCategorized:
    return JobCategorized(workspace_id=W, job_id=J, fence=fence)


async def given(store: SqliteStore, state: JobState, *items: ItemState, **fields: Any) -> None:
    await store.insert_job(job(state, **fields))
    await store.insert_items(
        [item(f"{n:02}", one, features=features(TEXTS[n % 3]), reason="why") for n, one in enumerate(items)]
    )


async def stored(store: SqliteStore) -> Job:
    found = await store.job(W, J)
    assert found is not None
    return found


@pytest.mark.parametrize("state", OPEN)
async def test_a_job_with_an_open_item_is_not_ready(store: SqliteStore, publish: Published, state: ItemState) -> None:
    await given(store, JobState.RUNNING, ItemState.DONE, state)
    await check_job(ENDED, store, publish)
    assert (await stored(store)).state is JobState.RUNNING
    assert publish.events == []


async def test_a_job_whose_items_have_all_ended_is_ready_however_they_did(
    store: SqliteStore, publish: Published
) -> None:
    await given(store, JobState.RUNNING, *FINAL)
    await check_job(ENDED, store, publish)
    assert (await stored(store)).state is JobState.READY
    assert publish.events == [READY]


async def test_of_two_last_items_at_once_one_at_least_makes_the_job_ready(
    store: SqliteStore, publish: Published
) -> None:
    await given(store, JobState.RUNNING, ItemState.DONE, ItemState.DONE)
    await asyncio.gather(*(check_job(ENDED, store, publish) for _ in range(2)))
    assert (await stored(store)).state is JobState.READY
    assert READY in publish.events


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState.QUEUED, []),  # it has no items yet
        (JobState.READY, [READY]),  # the first time may have died before it published
        (JobState.CATEGORIZED, []),
        (JobState.SUCCESS, []),
        (JobState.ERROR, []),
    ],
)
async def test_a_check_that_comes_early_or_late_moves_nothing(
    store: SqliteStore, publish: Published, state: JobState, expected: list[Event]
) -> None:
    await given(store, state)
    await check_job(ENDED, store, publish)
    assert (await stored(store)).state is state
    assert publish.events == expected


async def test_events_of_a_job_that_does_not_exist_are_invalid(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    with pytest.raises(InvalidEventError, match="There is no job j: was it deleted"):
        await check_job(ENDED, store, publish)
    with pytest.raises(InvalidEventError, match="There is no job j: was it deleted"):
        await categorize_job(READY, store, publish, settings, "me", no_asker(store))


async def test_a_ready_job_gets_its_categories_and_a_second_delivery_only_publishes_again(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await given(store, JobState.READY, *[ItemState.DONE] * 9, ItemState.FAILED)
    await categorize_job(READY, store, publish, settings, "me", no_asker(store))
    found, report = await stored(store), await store.report(W, J, 1)
    assert (found.state, found.fence) == (JobState.CATEGORIZED, 1)
    assert report is not None
    assert sum(cluster.num_runs for cluster in report.clusters if cluster.level == 0) == 9
    ids = {cluster.id for cluster in report.clusters}
    for one in await store.items(W, J, states={ItemState.DONE}):
        assert one.leaf == one.path[0]
        assert set(one.path) <= ids
        assert one.confidence is not None
    assert (await store.items(W, J, states={ItemState.FAILED}))[0].leaf is None
    await categorize_job(READY, store, publish, settings, "other", no_asker(store))
    assert publish.events == [categorized(1), categorized(1)]
    assert (await stored(store), await store.report(W, J, 1)) == (found, report)


async def test_a_job_in_which_nothing_could_be_summarised_is_an_error_with_the_first_reason(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await given(store, JobState.READY, ItemState.LEFT_OUT, ItemState.FAILED)
    with pytest.raises(JobError, match=r"No trace could be summarised. The first: why"):
        await categorize_job(READY, store, publish, settings, "me", no_asker(store))
    assert await store.acquire_lease(LEASE, "other", NEVER_LAPSES) is not None  # it was given back


async def test_a_job_that_another_process_categorizes_is_left_to_it(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await given(store, JobState.READY, ItemState.DONE)
    await store.acquire_lease(LEASE, "other", NEVER_LAPSES)
    await categorize_job(READY, store, publish, settings, "me", no_asker(store))
    assert (await stored(store)).fence is None
    assert publish.events == []


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCESS, JobState.ERROR])
async def test_a_job_in_another_state_is_not_categorized(
    store: SqliteStore, publish: Published, settings: Settings, state: JobState
) -> None:
    await given(store, state, ItemState.DONE)
    await categorize_job(READY, store, publish, settings, "me", no_asker(store))
    assert (await stored(store)).state is state
    assert await store.report(W, J, 1) is None
    assert publish.events == []


class OvertakenStore(SqliteStore):
    """A store in which another process takes the job over, and ends it, just before the first one would."""

    async def save_report(self, report: Report) -> None:
        await super().save_report(report)
        if report.fence == 1:
            await self.release_lease(LEASE, "stale")  # as if it had lapsed
            assert await self.acquire_lease(LEASE, "new", NEVER_LAPSES) == 2
            await self.move_job(W, J, {JobState.READY}, JobState.READY, fence=2)
            await self.move_job(W, J, {JobState.READY}, self.reached, only_fence=2)

    reached = JobState.READY


@pytest.mark.parametrize("reached", [JobState.READY, JobState.CATEGORIZED])
async def test_an_owner_that_was_overtaken_cannot_end_the_job(
    tmp_path: Path, publish: Published, settings: Settings, reached: JobState
) -> None:
    """Whether the new owner is still at work or done: the job is the new owner's."""
    store = await opened(tmp_path, OvertakenStore)
    assert isinstance(store, OvertakenStore)
    store.reached = reached
    try:
        await given(store, JobState.READY, ItemState.DONE)
        await categorize_job(READY, store, publish, settings, "stale", no_asker(store))
        assert ((await stored(store)).state, (await stored(store)).fence) == (reached, 2)
        assert publish.events == []
    finally:
        await store.close()


class LosingStore(SqliteStore):
    """A store that has given every lease to someone else by the first renewal, while nobody has begun to work."""

    async def renew_lease(self, name: str, owner: str, seconds: float) -> bool:
        return False


async def test_an_owner_that_lost_its_lease_leaves_the_end_to_the_next(
    tmp_path: Path, publish: Published, settings: Settings
) -> None:
    store = await opened(tmp_path, LosingStore)
    try:
        await given(store, JobState.READY, ItemState.DONE)
        await categorize_job(
            READY, store, publish, settings.model_copy(update={"lease_seconds": 1e-6}), "me", no_asker(store)
        )
        assert (await stored(store)).state is JobState.READY
        assert publish.events == []
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("state", "items", "expected"),
    [
        (JobState.QUEUED, [], []),  # the summarizer's sweep
        (JobState.RUNNING, [ItemState.DONE, ItemState.RELEASED], []),
        (JobState.RUNNING, [ItemState.DONE, ItemState.FAILED], [READY]),
        (JobState.READY, [ItemState.DONE], [READY]),
        (JobState.CATEGORIZED, [ItemState.DONE], [categorized(4)]),
        (JobState.SUCCESS, [ItemState.DONE], []),
        (JobState.ERROR, [ItemState.DONE], []),
    ],
)
async def test_a_round_of_the_sweeper_publishes_what_takes_a_job_on(
    store: SqliteStore, publish: Published, state: JobState, items: list[ItemState], expected: list[Event]
) -> None:
    await given(store, state, *items, fence=4)
    sweeper = Sweeper(store, publish, 30)
    await sweeper.round()
    await sweeper.round()
    assert publish.events == expected * 2  # for as long as it has not gone on


class ForgetfulStore(SqliteStore):
    """A store in which a job is deleted just after it was listed."""

    async def jobs_in(self, *arguments: Any, **options: Any) -> list[Job]:
        return [job(JobState.RUNNING, id="deleted"), *await super().jobs_in(*arguments, **options)]


async def test_a_job_that_is_deleted_meanwhile_does_not_stop_the_sweeper(tmp_path: Path, publish: Published) -> None:
    store = await opened(tmp_path, ForgetfulStore)
    try:
        await given(store, JobState.RUNNING, ItemState.DONE)
        await Sweeper(store, publish, 30).round()
        assert publish.events == [READY]
    finally:
        await store.close()
