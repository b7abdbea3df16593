"""Which traces a job looks at: its window, its filter, and a sample that depends on ids and seed alone."""

import hashlib
import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from shared.jobs import name_uuid
from shared.matching import Criteria
from shared.models import Item, Job, Run
from shared.store import Store

PAGE = 1_000


@dataclass
class Sample:
    """`matched` counts items that the filter lets through, `unfinished` root runs that had not ended."""

    matched: int = 0
    unfinished: int = 0
    items: list[Item] = field(default_factory=list)


async def draw(store: Store, job: Job) -> Sample:
    """The job's items, sorted by id. The order in which traces came does not matter."""
    sample = Sample()
    runs = _matching(store, job, sample)
    items = _threads(job, runs) if job.config.unit == "thread" else _traces(job, runs)
    size = None if job.config.sample == "all" else job.config.sample
    ranked: list[tuple[bytes, str, Item]] = []
    async for item in items:
        sample.matched += 1
        ranked.append((_rank(job.config.seed, item.id), item.id, item))
        if size and len(ranked) > 2 * size + PAGE:
            ranked = heapq.nsmallest(size, ranked)
    if size:
        ranked = heapq.nsmallest(size, ranked)
    sample.items = sorted((item for _, _, item in ranked), key=lambda item: item.id)
    return sample


def random_order(job: Job, items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: _rank(job.config.seed, item.id))


def _rank(seed: int, item_id: str) -> bytes:
    """A place in an order that is as good as random: the lowest n are a uniform sample."""
    return hashlib.blake2b(f"{seed}/{item_id}".encode(errors="surrogatepass"), digest_size=16).digest()


async def _matching(store: Store, job: Job, sample: Sample) -> AsyncIterator[Run]:
    criteria = Criteria.read(job.config.filter)
    after: str | None = None
    while True:
        page = await store.root_runs(
            job.workspace_id,
            job.project_id,
            start=job.window_start,
            end=job.window_end,
            received_before=job.received_before,
            after=after,
            limit=PAGE,
        )
        ended = [run for run in page if run.status != "pending"]
        sample.unfinished += len(page) - len(ended)
        for run in await criteria.select(store, job.workspace_id, ended):
            yield run
        if len(page) < PAGE:
            return
        after = page[-1].id


async def _traces(job: Job, runs: AsyncIterator[Run]) -> AsyncIterator[Item]:
    async for run in runs:
        yield _item(job, run.id, [run])


async def _threads(job: Job, runs: AsyncIterator[Run]) -> AsyncIterator[Item]:
    """One item a thread, its traces in time order; a trace without a thread is one of its own."""
    threads: dict[str, list[Run]] = {}
    async for run in runs:
        item_id = name_uuid("thread", run.thread_id) if run.thread_id else run.id
        threads.setdefault(item_id, []).append(run)
    for item_id, members in threads.items():
        yield _item(job, item_id, sorted(members, key=lambda run: (run.start_time or 0, run.id)))


def _item(job: Job, item_id: str, runs: list[Run]) -> Item:
    return Item(
        workspace_id=job.workspace_id,
        job_id=job.id,
        id=item_id,
        run_ids=tuple(run.id for run in runs),
        thread_id=runs[-1].thread_id,
        source_id=runs[-1].source_id,
    )
