"""A categorised job gets its figures, its findings and its end."""

from typing import Any

from services.aggregator import model
from services.aggregator.coverage import coverage
from services.aggregator.differences import differences
from services.aggregator.examples import Examples
from services.aggregator.figures import Table
from services.aggregator.findings import findings
from services.aggregator.highlights import Candidate, Shortlist
from services.aggregator.notes import notes
from shared import orders, values
from shared.asking import Asker
from shared.bus import Publish, Router
from shared.ending import announce_end, now
from shared.errors import InvalidEventError
from shared.events import JobCategorized
from shared.models import NONE_OF_THESE, Cluster, Item, ItemState, Job, JobState, Report
from shared.report import shape_of
from shared.store import Store

router = Router("aggregator")

PAGE = 1_000
MOST_GIVEN = 10  # categories of a configuration


@router.subscriber(JobCategorized)
async def report_job(event: JobCategorized, store: Store, publish: Publish, asker: Asker) -> None:
    """The categories of one fence in; the report, and the job's success, out."""
    job = await store.job(event.workspace_id, event.job_id)
    if job is None:
        raise InvalidEventError(f"There is no job {event.job_id}: was it deleted?")
    if job.state is JobState.CATEGORIZED and job.fence == event.fence:
        await _report(store, job, event.fence, asker)
    await announce_end(store, publish, event.workspace_id, event.job_id)


async def _report(store: Store, job: Job, fence: int, asker: Asker) -> None:
    report = await store.report(job.workspace_id, job.id, fence)
    if report is None:
        raise InvalidEventError(f"Job {job.id} has no categories under fence {fence}: run it again.")
    items = _Items(job, report)
    after = None
    while True:
        page = await store.items(job.workspace_id, job.id, states={ItemState.DONE}, after=after, limit=PAGE)
        for item in page:
            items.add(item)
        if len(page) < PAGE:
            break
        after = page[-1].id
    await store.save_report(await _completed(store, job, report, items, asker))
    await store.save_orders(job.workspace_id, job.id, fence, items.orders())
    moved, shape = {JobState.CATEGORIZED}, shape_of(report.clusters)
    if await store.move_job(
        job.workspace_id, job.id, moved, JobState.SUCCESS, only_fence=fence, ended_at=now(), shape=shape
    ):
        await _keep_categories(store, job, report)


async def _keep_categories(store: Store, job: Job, report: Report) -> None:
    """A saved configuration without categories gets those that its first report found, as LangSmith does it, so that
    later ones compare. Only a model's: those of the local engine are not sure enough to be held to.

    Where another changes the configuration at the same moment, the next report does it.
    """
    if job.config.engine != "model" or job.config_id is None:
        return
    saved = await store.config(job.workspace_id, job.config_id)
    tops = [one for one in report.clusters if one.parent_id is None and one.name != NONE_OF_THESE]
    if saved is None or saved.config.get("partitions") or not 2 <= len(tops) <= MOST_GIVEN:
        return
    config = {**saved.config, "partitions": {one.name: one.description for one in tops}}
    changed = saved.model_copy(update={"config": config, "version": saved.version + 1})
    await store.replace_config(changed, saved.version)


class _Items:
    """What is kept of the items while they stream by."""

    def __init__(self, job: Job, report: Report) -> None:
        self._spellings = values.load(report.trust)
        self.table = Table(job.config.attribute_schemas)
        self.shortlist = Shortlist()
        self.examples = Examples()
        self._values: dict[str, dict[int, Any]] = {name: {} for name in job.config.attribute_schemas}

    def add(self, item: Item) -> None:
        attributes = values.canonical(item.attributes, self._spellings)
        self.table.add(item.path, item.facts, attributes, item.effort)
        self.shortlist.add(Candidate(item.run_ids[-1], item.leaf, item.facts, item.summary))
        self.examples.add(item)
        for name, found in self._values.items():
            if item.place is not None and attributes.get(name) is not None:
                found[item.place] = attributes[name]

    def orders(self) -> dict[str, bytes]:
        """By attribute: see `shared/orders.py`."""
        return {name: orders.pack(found) for name, found in self._values.items()}

    def clusters(self, report: Report) -> tuple[Cluster, ...]:
        """With their figures, what differs clearly from the rest, and a typical trace."""
        differing = differences(report.clusters, self.table)
        return tuple(
            one.model_copy(
                update={
                    "stats": {
                        **self.table.cluster(one.id),
                        "differences": differing[one.id],
                        "typical": self.examples.typical(one.id),
                    }
                }
            )
            for one in report.clusters
        )


async def _completed(store: Store, job: Job, report: Report, items: _Items, asker: Asker) -> Report:
    whole = {**items.table.whole(), "unusual": items.examples.unusual()}
    clusters = items.clusters(report)
    found, trust = findings(clusters, whole, items.shortlist.candidates(), unit=job.config.unit), report.trust
    if job.config.engine == "model":
        written = await model.write(job, asker, clusters, whole, found)
        found, trust = written.findings, {**trust, "findings": written.trust}
    return report.model_copy(
        update={
            "clusters": clusters,
            "stats": whole,
            "title": found.title,
            "key_points": found.key_points,
            "highlighted_traces": found.highlighted_traces,
            "coverage": await coverage(store, job),
            "trust": trust,
            "notes": notes(job, trust, whole),
        }
    )
