"""When a job's last item has ended, its items are grouped into categories; one owner by lease."""

import asyncio
from collections.abc import Awaitable, Callable

from services.categorizer import engines, model
from services.categorizer.clusters import build
from services.categorizer.found import Found
from services.categorizer.sample import Sample
from services.categorizer.sweeper import Sweeper, announce_if_ready
from shared.asking import Asker
from shared.bus import Publish, Router
from shared.config import Settings
from shared.ending import is_filtered
from shared.errors import InvalidEventError, JobError
from shared.events import ItemEnded, JobCategorized, JobReady
from shared.leases import Lease, hold
from shared.models import Assignment, ItemState, Job, JobState, Report
from shared.store import Store
from shared.worker import run_in_process, warm

router = Router("categorizer")

PAGE = 1_000


async def categorize_locally(sample: Sample, job: Job, asker: Asker) -> Found:
    return await run_in_process(engines.local, sample, job.config)


ENGINES: dict[str, Callable[[Sample, Job, Asker], Awaitable[Found]]] = {
    "local": categorize_locally,
    "model": model.categorize,
}


@router.background
async def sweep_jobs(store: Store, publish: Publish, settings: Settings) -> None:
    await asyncio.to_thread(warm, engines.HEAVY)
    await Sweeper(store, publish, settings.sweep_seconds).run()


@router.subscriber(ItemEnded)
async def check_job(event: ItemEnded, store: Store, publish: Publish) -> None:
    """Has the job's last item ended? A look at the store, not a counter: of two last items the later sees both."""
    await announce_if_ready(store, publish, event.workspace_id, event.job_id)


@router.subscriber(JobReady)
async def categorize_job(
    event: JobReady, store: Store, publish: Publish, settings: Settings, owner: str, asker: Asker
) -> None:
    """A job whose items have ended in; its categories and where each item lies out."""
    name = f"categorize/{event.workspace_id}/{event.job_id}"
    async with hold(store, name, owner, settings.lease_seconds) as lease:
        job = await store.job(event.workspace_id, event.job_id)
        if job is None:
            raise InvalidEventError(f"There is no job {event.job_id}: was it deleted?")
        if lease is not None and job.state is JobState.READY and not await _categorize(store, job, lease, asker):
            return
        job = await store.job(event.workspace_id, event.job_id)
    if job is not None and job.state is JobState.CATEGORIZED and job.fence is not None:
        await publish(JobCategorized(workspace_id=job.workspace_id, job_id=job.id, fence=job.fence))


async def _categorize(store: Store, job: Job, lease: Lease, asker: Asker) -> bool:
    """Whether the categories of this owner are the job's."""
    ready, fence = {JobState.READY}, lease.fence
    await store.move_job(job.workspace_id, job.id, ready, JobState.READY, fence=fence)
    item_ids, sample = await _done_items(store, job)
    found = await ENGINES[job.config.engine](sample, job, asker)
    clusters, assignments = build(job, item_ids, found)
    await _save(store, job, fence, assignments)
    await store.save_report(
        Report(workspace_id=job.workspace_id, job_id=job.id, fence=fence, clusters=tuple(clusters), trust=found.trust)
    )
    if lease.lost:
        return False
    return await store.move_job(job.workspace_id, job.id, ready, JobState.CATEGORIZED, only_fence=fence)


async def _done_items(store: Store, job: Job) -> tuple[list[str], Sample]:
    """Ids, sorted, and what the engine sees. Raises JobError if there is none, with the first reason."""
    item_ids: list[str] = []
    sample = Sample()
    after = None
    while True:
        page = await store.items(
            job.workspace_id, job.id, states={ItemState.DONE}, after=after, limit=PAGE, features=True
        )
        for item in page:
            item_ids.append(item.id)
            sample.add(item)
        if len(page) < PAGE:
            break
        after = page[-1].id
    if not item_ids:
        raise JobError(await _nothing(store, job))
    return item_ids, sample


async def _nothing(store: Store, job: Job) -> str:
    """Why no item is left to group."""
    for state, what in ((ItemState.FAILED, "No trace could be summarised"), (ItemState.LEFT_OUT, "All were left out")):
        if ended := await store.items(job.workspace_id, job.id, states={state}, limit=1):
            reason = ended[0].reason or "unknown"
            if is_filtered(reason):
                return (
                    f"No trace is left: the first was {reason}. Say in its description what counts, or drop its filter."
                )
            return f"{what}. The first: {reason}"
    return "No trace could be summarised: ask for the report again."


async def _save(store: Store, job: Job, fence: int, assignments: list[Assignment]) -> None:
    for start in range(0, len(assignments), PAGE):
        await store.assign_items(job.workspace_id, job.id, fence, assignments[start : start + PAGE])
