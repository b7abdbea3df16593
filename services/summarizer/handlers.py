"""A requested job becomes items, and each item gets its summary."""

from collections.abc import Awaitable, Callable

from services.summarizer import local, model
from services.summarizer.corpus import survey
from services.summarizer.facts import load_facts
from services.summarizer.releaser import Releaser
from services.summarizer.sampling import Sample, draw, random_order
from services.summarizer.summarized import Summarized
from shared.access import Role
from shared.asking import Asker
from shared.bus import Publish, Router
from shared.config import Settings
from shared.context import Loaded, load
from shared.embedding.worker import Embedder
from shared.ending import announce_end, fail_job, leave_out_of_ended, left_with_job
from shared.errors import InvalidEventError, JobError, UsageError
from shared.events import ItemSampled, ItemSummarized, JobRequested
from shared.frozen import FrozenJob, FrozenJobs
from shared.job_config import JobConfig
from shared.jobs import new_job
from shared.leases import Lease, hold
from shared.models import Item, ItemState, Job, JobState
from shared.store import Store

router = Router("summarizer")

Engine = Callable[[Embedder, Asker, FrozenJob, Loaded], Awaitable[Summarized]]
ENGINES: dict[str, Engine] = {"local": local.summarize_item, "model": model.summarize_item}
BATCH = 1_000


@router.background
async def release_items(store: Store, publish: Publish, settings: Settings, owner: str) -> None:
    await Releaser(store, publish, settings, owner).run()


@router.subscriber(JobRequested)
async def prepare_job(event: JobRequested, store: Store, publish: Publish, settings: Settings, owner: str) -> None:
    """One job in; its items, its plan and its counts out. The releaser takes it from there."""
    job = await store.job(event.workspace_id, event.job_id) or await _accept(event, store)
    async with hold(store, lease_name(job), owner, settings.lease_seconds) as lease:
        if lease is None:
            return None  # its owner prepares it; the releaser's sweep asks again if that owner dies
        job = await store.job(event.workspace_id, event.job_id) or job
        try:
            if job.state is JobState.QUEUED:
                await prepare(store, job, lease)
        except (JobError, UsageError) as error:
            return await fail_job(store, publish, job.workspace_id, job.id, str(error))
    return await announce_end(store, publish, job.workspace_id, job.id)


def lease_name(job: Job) -> str:
    return f"prepare/{job.workspace_id}/{job.id}"


async def _accept(event: JobRequested, store: Store) -> Job:
    """The job of an event that any program may publish: its configuration is checked as strictly as a file's."""
    if event.project is None or event.config is None:
        raise InvalidEventError(f"There is no job {event.job_id}, and the event has no project and config to make it.")
    await _check_key(event, store)
    config = JobConfig.strict(event.config, event.topic)
    found = await store.project(event.workspace_id, event.project)
    project = found or await store.project_named(event.workspace_id, event.project)
    if project is None:
        raise InvalidEventError(f"There is no project {event.project!r}: send its traces first.")
    job = new_job(project, event.job_id, config)
    await store.insert_job(job.model_copy(update={"announced": True}))
    return await store.job(event.workspace_id, event.job_id) or job


async def _check_key(event: JobRequested, store: Store) -> None:
    """Where there are API keys, who makes a job names one of the workspace that may write, by its id."""
    if not await store.has_api_keys():
        return
    keys = [key for key in await store.api_keys(event.workspace_id) if key.id == event.api_key_id]
    if not any(key.revoked_at is None and key.role.may(Role.WRITER) for key in keys):
        raise InvalidEventError("`api_key_id` must be the id of a valid key of this workspace, of the role writer.")


async def prepare(store: Store, job: Job, lease: Lease) -> None:
    """An owner that lost its lease writes no more: the next one begins anew, and may draw other items."""
    sample = await draw(store, job)
    if not sample.items:
        raise JobError(_nothing(job, sample))
    plan = await survey(store, job, random_order(job, sample.items))
    if lease.lost:
        return
    await store.clear_items(job.workspace_id, job.id)
    await store.insert_plan(plan)
    for start in range(0, len(sample.items), BATCH):
        if lease.lost:
            return
        await store.insert_items(sample.items[start : start + BATCH])
    if lease.lost:
        return
    counts = {"matched": sample.matched, "unfinished": sample.unfinished, "sampled": len(sample.items)}
    if not await store.move_job(job.workspace_id, job.id, {JobState.QUEUED}, JobState.RUNNING, **counts):
        await leave_out_of_ended(store, job)


def _nothing(job: Job, sample: Sample) -> str:
    where = "in its time range" if job.window_start or job.window_end else "of its project"
    filtered = f" that the filter {job.config.filter} lets through" if job.config.filter else ""
    left = f" ({sample.unfinished:,} have not ended)" if sample.unfinished else ""
    return f"There is no finished trace {where}{filtered}{left}: widen the time range or the filter, or send traces."


@router.subscriber(ItemSampled, windowed=True)
async def summarize_item(
    event: ItemSampled,
    store: Store,
    publish: Publish,
    frozen_jobs: FrozenJobs,
    embedder: Embedder,
    asker: Asker,
) -> None:
    """One item in, one stored summary out."""
    item = await store.item(event.workspace_id, event.job_id, event.item_id)
    if item is None:
        raise InvalidEventError(f"There is no item {event.item_id} in job {event.job_id}: was the job deleted?")
    if item.state.final:
        return
    if item.state is not ItemState.SUMMARIZED:
        if await left_with_job(store, publish, item):
            return
        frozen = await frozen_jobs.get(event.workspace_id, event.job_id)
        await _summarize(store, item, frozen, embedder, asker)
    await publish(ItemSummarized(workspace_id=item.workspace_id, job_id=item.job_id, item_id=item.id))


async def _summarize(store: Store, item: Item, frozen: FrozenJob, embedder: Embedder, asker: Asker) -> None:
    [loaded] = await load(store, [item], frozen.prompt)
    found = await ENGINES[frozen.job.config.engine](embedder, asker, frozen, loaded)
    facts = await load_facts(store, item)
    await store.move_item(
        item.workspace_id,
        item.job_id,
        item.id,
        {ItemState.PENDING, ItemState.RELEASED},
        ItemState.SUMMARIZED,
        summary=found.text,
        features=found.features.pack(),
        facts=facts.model_copy(update={"conduct": found.conduct}),
        draft=found.draft,
        quotes=found.quotes,
        quotes_dropped=found.quotes_dropped,
        unread=found.unread,
    )
