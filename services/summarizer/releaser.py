"""Lets a bounded number of a job's items into the pipeline, so that a backlog never grows in the bus.

One releaser a job, by lease, in any summarizer's process. A new owner first publishes again what is in flight: what a
crash left between the store and the bus comes so, and a repeat is harmless.
"""

import asyncio
import logging
from time import monotonic

from shared import metrics
from shared.bus import Publish
from shared.config import Settings
from shared.ending import now
from shared.errors import RefusedError, UnavailableError
from shared.events import ItemSampled, JobRequested
from shared.models import ItemState, Job, JobState
from shared.store import Store

log = logging.getLogger(__name__)

BUSY, IDLE, AFTER_ERROR = 0.02, 0.25, 2.0  # seconds between rounds
IN_FLIGHT = (ItemState.RELEASED, ItemState.SUMMARIZED)


def lease_name(job: Job) -> str:
    return f"release/{job.workspace_id}/{job.id}"


class Releaser:
    """The running jobs whose lease this process holds, with the time (monotonic) at which each was last renewed."""

    def __init__(self, store: Store, publish: Publish, settings: Settings, owner: str) -> None:
        self._store, self._publish, self._settings, self._owner = store, publish, settings, owner
        self._held: dict[str, float] = {}
        self._swept = monotonic()

    async def run(self) -> None:
        """For ever; an error costs a round, and what was in flight is published again in the next."""
        while True:
            try:
                pause = BUSY if await self.round() else IDLE
                await self._sweep()
            except (UnavailableError, RefusedError) as error:
                log.warning("The releaser could not work: %s", error)
                metrics.ROUNDS_FAILED.labels("releaser").inc()
                self._held.clear()
                pause = AFTER_ERROR
            await asyncio.sleep(pause)

    async def round(self) -> int:
        """How many items were released."""
        jobs = await self._store.jobs_in({JobState.RUNNING})
        running = {lease_name(job) for job in jobs}
        self._held = {name: at for name, at in self._held.items() if name in running}
        return sum([await self._release(job) for job in jobs if await self._hold(job)])

    async def _hold(self, job: Job) -> bool:
        """Whether this process is the job's releaser; asks the store only when a third of the lease is over."""
        name, seconds = lease_name(job), self._settings.lease_seconds
        renewed = self._held.get(name)
        if renewed is not None and monotonic() - renewed < seconds / 3:
            return True
        begun = monotonic()
        if await self._store.acquire_lease(name, self._owner, seconds) is None:
            self._held.pop(name, None)
            return False
        if renewed is None:
            await self._publish_in_flight(job)
        self._held[name] = begun
        return True

    async def _release(self, job: Job) -> int:
        free = self._settings.in_flight - await self._store.count_in_flight(job.workspace_id, job.id)
        if free <= 0:
            return 0
        ids = await self._store.release_items(job.workspace_id, job.id, free)
        await self._publish_all(job, ids)
        return len(ids)

    async def _publish_in_flight(self, job: Job) -> None:
        after = None
        while True:
            page = await self._store.items(job.workspace_id, job.id, states=IN_FLIGHT, after=after)
            await self._publish_all(job, [item.id for item in page])
            if len(page) < 1_000:
                return
            after = page[-1].id

    async def _publish_all(self, job: Job, ids: list[str]) -> None:
        events = [ItemSampled(workspace_id=job.workspace_id, job_id=job.id, item_id=item_id) for item_id in ids]
        await asyncio.gather(*(self._publish(event) for event in events))

    async def _sweep(self) -> None:
        """Ask again for jobs that someone began to prepare and did not end."""
        pause = self._settings.sweep_seconds
        if monotonic() - self._swept < pause:
            return
        self._swept = monotonic()
        for job in await self._store.jobs_in({JobState.QUEUED}):
            if job.announced and job.created_at < now() - pause * 1_000_000:
                await self._publish(JobRequested(workspace_id=job.workspace_id, job_id=job.id))
