"""`insights analyze`: a file in, a report out; all services in this process, or those that the settings name."""

import asyncio
import json
from pathlib import Path

from rich.console import Console

from insights.estimating import refuse_over_budget
from insights.options import is_relative
from insights.patience import Patience
from insights.printable import printable
from insights.process import ROUTERS, Process, running
from insights.progress import Progress
from insights.report_json import write_report
from insights.report_text import ReportView, print_report
from insights.source import OF_FILES, Source, load, own_workspace
from shared.bill import Bill
from shared.config import Settings
from shared.ending import UNFINISHED, now
from shared.errors import InsightsError, JobError, UsageError
from shared.job_config import JobConfig
from shared.jobs import name_uuid, new_job, submit_job
from shared.models import FEW, ItemState, Job, JobState, Project, Stage
from shared.purpose import Purpose
from shared.report import report_of
from shared.store import Store

GRACE = 0.2  # seconds: what is in work when someone presses Ctrl-C comes again with the next start
POLL = 0.1  # seconds between looks at the store


async def analyze(
    source: Source,
    config: JobConfig,
    settings: Settings,
    folder: Path,
    target: Path | None,
    *,
    verbose: bool = False,
    base_url: str | None = None,
) -> None:
    """The report goes to the terminal, and to `target` as JSON.

    Raises the failed job's sentence: UsageError where it can't be asked of the model as it is set up, else JobError.
    """
    names = tuple(ROUTERS) if settings.bus == "local" else ()
    async with running(names, settings, folder, grace=GRACE, base_url=base_url) as process:
        with Progress() as progress:
            project = await load(process.store, source, progress, own_workspace(source))
            job = await find_or_submit(process, project, config)
            made_before = job.state is JobState.SUCCESS
            patience = Patience(process.check, alone=bool(names), trouble=lambda: process.asker.trouble)
            job = await _wait(process, job, progress, patience)
        bill = Bill.of(await process.store.spending(job.workspace_id, job.id), process.asker.cost)
        view = await _view(process.store, job, project, bill, made_before=made_before)
        print_report(view, Console(stderr=str(target) == "-"), verbose=verbose)
        if target is not None:
            path = None if str(target) == "-" else target
            await write_report(path, process.store, job, project=project, bill=bill)
        if job.state is JobState.ERROR:
            raise _failure(process, job)


def _failure(process: Process, job: Job) -> InsightsError:
    """A key, a model or an address that the endpoint refuses is an error of the user's; services elsewhere know it."""
    try:
        process.asker.check(Purpose.of(job, Stage.SUMMARIES))
    except JobError as error:
        return UsageError(printable(str(error)))
    return JobError(printable(job.error or "The job failed: the log says why."))


async def find_or_submit(process: Process, project: Project, config: JobConfig) -> Job:
    """The job of this input and these options. UsageError if a new one would cost more than its budget.

    An unfinished one goes on with its frozen window; a finished one is taken as it is, but one with a relative window
    is made anew; a failed one is tried again from the start, as another: services remember which jobs have failed.
    """
    store = process.store
    key = name_uuid("job", project.id, json.dumps(config.model_dump(mode="json"), sort_keys=True))
    again = is_relative(config)
    mine = [job for job in await store.jobs(project.workspace_id, project.id) if job.config == config]
    for job in mine:
        if job.state in UNFINISHED:
            return job
        if job.state is JobState.ERROR:
            await store.delete_job(job.workspace_id, job.id)
            again = True
        elif not is_relative(config):
            return job
    at = now()
    job = new_job(project, name_uuid(key, str(at)) if again else key, config, at=at, answers_in=OF_FILES)
    await refuse_over_budget(store, job, process.prices, process.asker.place)
    await submit_job(store, process.bus.publish, job)
    return job


async def _wait(process: Process, job: Job, progress: Progress, patience: Patience) -> Job:
    """Until the job has ended. Raises UnavailableError if this process can't go on."""
    while job.state in UNFINISHED:
        if process.ended.is_set():
            await process.check()
        await patience.look(job)
        await asyncio.sleep(POLL)
        job = await process.store.job(job.workspace_id, job.id) or job
        if progress.shown:
            bill = Bill.of(await process.store.spending(job.workspace_id, job.id), process.asker.cost)
            await _show(process.store, job, progress, bill)
    return job


async def _show(store: Store, job: Job, progress: Progress, bill: Bill) -> None:
    """Each stage as far as it is, with what it has taken of models."""
    if job.sampled is None:
        progress.show("Sampling", 0, None)
        return
    counts = await store.count_items(job.workspace_id, job.id)
    ended = sum(n for state, n in counts.items() if state.final)
    progress.show("Sampling", job.sampled, job.sampled)
    summarized = ended + counts.get(ItemState.SUMMARIZED, 0)
    progress.show("Summaries", summarized, job.sampled, bill.note(Stage.SUMMARIES))
    progress.show("Attributes", ended, job.sampled, bill.note(Stage.ATTRIBUTES))
    if job.state in (JobState.READY, JobState.CATEGORIZED):
        done = int(job.state is JobState.CATEGORIZED)
        progress.show("Categories", done, 1, bill.note(Stage.CATEGORIES))
    if job.state is JobState.CATEGORIZED:
        progress.show("Figures", 0, 1, bill.note(Stage.FINDINGS))


async def _view(store: Store, job: Job, project: Project, bill: Bill, *, made_before: bool) -> ReportView:
    report = await report_of(store, job)
    few = report is not None and report.stats.get("run_count", 0) < FEW
    items = await store.items(job.workspace_id, job.id, states={ItemState.DONE}, limit=FEW) if few else []
    return ReportView(job, report, project, items, bill, made_before)
