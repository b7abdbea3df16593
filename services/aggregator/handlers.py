"""A categorised job gets its figures, its findings and its end."""

from typing import Any

from services.aggregator.coverage import coverage
from services.aggregator.figures import Tally
from services.aggregator.findings import findings
from services.aggregator.highlights import Candidate, Shortlist
from services.aggregator.notes import notes
from shared.bus import Publish, Router
from shared.ending import announce_end, now
from shared.errors import InvalidEventError
from shared.events import JobCategorized
from shared.models import Item, ItemState, Job, JobState, Report
from shared.store import Store

router = Router("aggregator")

PAGE = 1_000


@router.subscriber(JobCategorized)
async def report_job(event: JobCategorized, store: Store, publish: Publish) -> None:
    """The categories of one fence in; the report, and the job's success, out."""
    job = await store.job(event.workspace_id, event.job_id)
    if job is None:
        raise InvalidEventError(f"There is no job {event.job_id}: was it deleted?")
    if job.state is JobState.CATEGORIZED and job.fence == event.fence:
        await _report(store, job, event.fence)
    await announce_end(store, publish, event.workspace_id, event.job_id)


async def _report(store: Store, job: Job, fence: int) -> None:
    report = await store.report(job.workspace_id, job.id, fence)
    if report is None:
        raise InvalidEventError(f"Job {job.id} has no categories under fence {fence}: run it again.")
    figures = _Figures()
    after = None
    while True:
        page = await store.items(job.workspace_id, job.id, states={ItemState.DONE}, after=after, limit=PAGE)
        for item in page:
            figures.add(item)
        if len(page) < PAGE:
            break
        after = page[-1].id
    await store.save_report(await _completed(store, job, report, figures))
    moved = {JobState.CATEGORIZED}
    await store.move_job(job.workspace_id, job.id, moved, JobState.SUCCESS, only_fence=fence, ended_at=now())


class _Figures:
    """What is kept of the items while they stream by."""

    def __init__(self) -> None:
        self.whole = Tally()
        self.shortlist = Shortlist()
        self._clusters: dict[str, Tally] = {}

    def add(self, item: Item) -> None:
        self.whole.add(item.facts, item.attributes)
        for cluster_id in item.path:
            self._clusters.setdefault(cluster_id, Tally()).add(item.facts, item.attributes)
        self.shortlist.add(Candidate(item.run_ids[-1], item.leaf, item.facts, item.summary))

    def stats(self, cluster_id: str, whole: int) -> dict[str, Any]:
        return self._clusters.get(cluster_id, Tally()).result(whole=whole)


async def _completed(store: Store, job: Job, report: Report, figures: _Figures) -> Report:
    whole = figures.whole.result()
    clusters = tuple(
        cluster.model_copy(update={"stats": figures.stats(cluster.id, whole["run_count"])})
        for cluster in report.clusters
    )
    found = findings(clusters, whole, figures.shortlist.candidates(), unit=job.config.unit)
    return report.model_copy(
        update={
            "clusters": clusters,
            "stats": whole,
            "title": found.title,
            "key_points": found.key_points,
            "highlighted_traces": found.highlighted_traces,
            "coverage": await coverage(store, job),
            "notes": notes(job),
        }
    )
