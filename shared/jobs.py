"""How a job comes to be: its window frozen, its document stored with its event (the outbox), the event published."""

from uuid import UUID, uuid5

from shared.bus import Publish
from shared.ending import now
from shared.events import JobRequested
from shared.filters import parse as parse_filter
from shared.job_config import JobConfig, utc
from shared.models import Job, Project
from shared.prompts import parse as parse_prompt
from shared.store import Store
from shared.summary_prompts import template

HOUR = 3_600_000_000
NAMESPACE = UUID("6f1e2a52-3c39-4f0e-9d3a-5b8f3a0c7d11")


def name_uuid(*parts: str) -> str:
    """The uuid5 of these parts: the same everywhere, whatever the store or the bus. They may be any text."""
    return str(uuid5(NAMESPACE, "\0".join(parts).encode("utf-8", "backslashreplace").decode()))


def new_job(
    project: Project, job_id: str, config: JobConfig, *, at: int | None = None, answers_in: str | None = None
) -> Job:
    """A job whose window is frozen at `at` (µs; now): runs that arrive later are not in it. `answers_in`: see Job.

    Raises FilterError or PromptError where filter or prompt do not parse.
    """
    if config.filter:
        parse_filter(config.filter)
    if config.summary_prompt:
        parse_prompt(template(config.summary_prompt))
    at = now() if at is None else at
    start = config.start_time and utc(config.start_time)
    end = config.end_time and utc(config.end_time)
    if config.last_n_hours is not None:
        start, end = at - round(config.last_n_hours * HOUR), at + 1
    return Job(
        workspace_id=project.workspace_id,
        id=job_id,
        project_id=project.id,
        name=config.name or project.name,
        created_at=at,
        config=config,
        window_start=start,
        window_end=end,
        received_before=at + 1,
        answers_in=answers_in,
        requested=None if config.sample == "all" else config.sample,
    )


async def submit_job(store: Store, publish: Publish, job: Job) -> None:
    """Store the job, then announce it. What a crash or an absent bus leaves unannounced, `announce_jobs` repeats."""
    await store.insert_job(job)
    await announce_job(store, publish, job)


async def announce_job(store: Store, publish: Publish, job: Job) -> None:
    await publish(JobRequested(workspace_id=job.workspace_id, job_id=job.id))
    await store.mark_announced(job.workspace_id, job.id)
