"""The sample of a job that is not stored, for whoever wants to know what it would be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from insights.process import opened_store
from insights.progress import Progress
from insights.source import OF_FILES, Source, load, own_workspace
from services.summarizer.corpus import survey
from services.summarizer.sampling import draw, random_order
from shared.config import Settings
from shared.errors import UsageError
from shared.frozen import FrozenJob, prompt_of
from shared.job_config import JobConfig
from shared.jobs import new_job
from shared.models import Item, Job
from shared.store import Store

NOT_STORED = "not stored"  # the job's id


@dataclass(frozen=True, slots=True)
class Drawn:
    """A job with its items, sorted by id."""

    frozen: FrozenJob
    items: list[Item]


@asynccontextmanager
async def read(source: Source, config: JobConfig, settings: Settings, folder: Path) -> AsyncIterator[tuple[Store, Job]]:
    """The store with the file in it, and a job of it. No service runs."""
    async with opened_store(settings, folder) as store:
        with Progress() as progress:
            project = await load(store, source, progress, own_workspace(source))
        yield store, new_job(project, NOT_STORED, config, answers_in=OF_FILES)


async def drawn(store: Store, job: Job) -> Drawn:
    """As `prepare_job` draws it. UsageError where there is nothing, or no trace has what the prompt names."""
    items = (await draw(store, job)).items
    if not items:
        raise UsageError("There is no finished trace that the time range and the filter let through: widen them.")
    plan = await survey(store, job, random_order(job, items))
    return Drawn(FrozenJob(job, plan, prompt_of(job)), items)
