"""The one place where an item or a job ends: compare-and-set to the final state, then the event.

Whoever ends an item (extractor, filter attribute, releaser, `delivery.py` after the last try) calls `end_item`.
Called again after a crash in between, it publishes again: readers look at the store, so that a repeat is harmless.
"""

import time
from typing import Any

from shared.bus import Publish
from shared.events import ItemEnded, JobReported
from shared.models import OPEN, Item, ItemState, Job, JobState
from shared.store import Store
from shared.wording import clean

REASON_LENGTH = 500
LEFT_OUT_BY = "left out by attribute "  # and its name: why an item that does not pass a filter left
UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.READY, JobState.CATEGORIZED)


def is_filtered(reason: str) -> bool:
    """Whether an item left by its attribute: then it was summarised, but is not in the report."""
    return reason.startswith(LEFT_OUT_BY)


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1_000


async def end_item(
    store: Store,
    publish: Publish,
    workspace_id: str,
    job_id: str,
    item_id: str,
    state: ItemState,
    reason: str | None = None,
    **changes: Any,
) -> None:
    """The item's final state with its reason, once; and item.ended, perhaps more than once."""
    reason = reason and _bounded(reason)
    moved = await store.move_item(workspace_id, job_id, item_id, OPEN, state, reason=reason, **changes)
    if moved or await store.item(workspace_id, job_id, item_id):
        await publish(ItemEnded(workspace_id=workspace_id, job_id=job_id, item_id=item_id))


async def fail_job(store: Store, publish: Publish, workspace_id: str, job_id: str, error: str) -> None:
    """The job ends in `error` with a sentence, unless it has ended; and job.reported, perhaps again.

    What was not yet released of it is left out. What is in work finds the job ended (`left_with_job`).
    """
    error = _bounded(error)
    if await store.move_job(workspace_id, job_id, UNFINISHED, JobState.ERROR, error=error, ended_at=now()):
        await store.leave_out_pending(workspace_id, job_id, error)
    await announce_end(store, publish, workspace_id, job_id)


async def leave_out_of_ended(store: Store, job: Job) -> None:
    """What was made of a job while somebody ended it waits for nothing."""
    ended = await store.job(job.workspace_id, job.id)
    if ended is not None and ended.state is JobState.ERROR:
        await store.leave_out_pending(job.workspace_id, job.id, ended.error or "")


async def left_with_job(store: Store, publish: Publish, item: Item) -> bool:
    """Whether the item's job ended in error, by cancel for one; the item is then left out, and no more work for it."""
    job = await store.job(item.workspace_id, item.job_id)
    if job is None or job.state is not JobState.ERROR:
        return False
    if not item.state.final:
        await end_item(store, publish, item.workspace_id, item.job_id, item.id, ItemState.LEFT_OUT, job.error)
    return True


async def refuse_job(store: Store, publish: Publish, workspace_id: str, job_id: str, error: str) -> None:
    """As fail_job; and job.reported too if no job was made of the request: its program waits for an answer."""
    await fail_job(store, publish, workspace_id, job_id, error)
    if await store.job(workspace_id, job_id) is None:
        await publish(JobReported(workspace_id=workspace_id, job_id=job_id, status="error", error=_bounded(error)))


async def announce_end(store: Store, publish: Publish, workspace_id: str, job_id: str) -> None:
    """job.reported of a job that has ended; nothing for one that is under way, or is not there."""
    job = await store.job(workspace_id, job_id)
    if job is not None and job.state is JobState.SUCCESS:
        await publish(JobReported(workspace_id=workspace_id, job_id=job_id, status="success"))
    elif job is not None and job.state is JobState.ERROR:
        await publish(JobReported(workspace_id=workspace_id, job_id=job_id, status="error", error=job.error))


def _bounded(reason: str) -> str:
    """Any text of a trace can be in a reason; an event takes no lone surrogates and stays small."""
    return clean(reason[:REASON_LENGTH])
