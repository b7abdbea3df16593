"""Is a job ready? Asked when an item ends, and again every while, so that a lost moment is healed."""

import asyncio
import contextlib
import logging

from shared import metrics
from shared.bus import Publish
from shared.errors import InvalidEventError, RefusedError, UnavailableError
from shared.events import JobCategorized, JobReady
from shared.models import Job, JobState
from shared.store import Store

log = logging.getLogger(__name__)


async def announce_if_ready(store: Store, publish: Publish, workspace_id: str, job_id: str) -> None:
    """Move the job to ready if no item is open, and publish job.ready, perhaps again.

    The first look is cheap and mostly says no. A job that runs has all its items, so the look after that is true.
    """
    if await store.has_open_items(workspace_id, job_id):
        return
    job = await store.job(workspace_id, job_id)
    if job is None:
        raise InvalidEventError(f"There is no job {job_id}: was it deleted?")
    if job.state is JobState.RUNNING and await store.has_open_items(workspace_id, job_id):
        return
    if job.state is JobState.RUNNING:
        await store.move_job(workspace_id, job_id, {JobState.RUNNING}, JobState.READY)
    if job.state in (JobState.RUNNING, JobState.READY):
        await publish(JobReady(workspace_id=workspace_id, job_id=job_id))


class Sweeper:
    """Every `seconds`, for each job under way, the event that would take it on."""

    def __init__(self, store: Store, publish: Publish, seconds: float) -> None:
        self._store, self._publish, self._seconds = store, publish, seconds

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.round()
            except (UnavailableError, RefusedError) as error:
                log.warning("The sweeper could not work: %s", error)
                metrics.ROUNDS_FAILED.labels("sweeper").inc()

    async def round(self) -> None:
        for job in await self._store.jobs_in({JobState.RUNNING, JobState.READY, JobState.CATEGORIZED}):
            await self._take_on(job)

    async def _take_on(self, job: Job) -> None:
        if job.state is JobState.CATEGORIZED and job.fence is not None:
            await self._publish(JobCategorized(workspace_id=job.workspace_id, job_id=job.id, fence=job.fence))
            return
        with contextlib.suppress(InvalidEventError):  # deleted since it was listed
            await announce_if_ready(self._store, self._publish, job.workspace_id, job.id)
