"""A job as LangSmith's clients read it: what the HTTP API answers and what a report's JSON file begins with.

After LangSmith's API, as its clients use it. Level 0 is the most specific; the top has no parent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.models import Cluster, Item, Job, JobState, Report, Run
from shared.store import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS = {JobState.QUEUED: "queued", JobState.SUCCESS: "success", JobState.ERROR: "error"}


async def report_of(store: Store, job: Job) -> Report | None:
    """Only a job that succeeded has one: what lies under the fence before that may still change."""
    if job.state is not JobState.SUCCESS or job.fence is None:
        return None
    return await store.report(job.workspace_id, job.id, job.fence)


def status_of(job: Job) -> str:
    """queued, running, success or error; LangSmith's clients wait for the last two."""
    return _STATUS.get(job.state, "running")


def head(job: Job, report: Report | None) -> dict[str, Any]:
    clusters = clusters_of(report)
    return {
        "id": job.id,
        "name": job.name,
        "status": status_of(job),
        "created_at": iso(job.created_at),
        "start_time": iso(job.window_start),
        "end_time": iso(job.window_end),
        "shape": shape_of(clusters),
        "error": job.error,
        "clusters": [_cluster(one) for one in clusters],
        "report": {
            "title": report.title if report else None,
            "key_points": list(report.key_points) if report else [],
            "highlighted_traces": [one.model_dump() for one in report.highlighted_traces] if report else [],
        },
    }


def clusters_of(report: Report | None) -> list[Cluster]:
    """Broad ones first, then by size; ties by name, since ids follow from the job."""
    return (
        sorted(report.clusters, key=lambda one: (-one.level, -one.num_runs, one.parent_name or "", one.name, one.id))
        if report
        else []
    )


def places_of(report: Report, cluster_id: str) -> tuple[int, int] | None:
    """The first place of the cluster's items, and how many there are; None where the report has no such cluster."""
    found = next((one for one in report.clusters if one.id == cluster_id), None)
    if found is None:
        return None
    first = 0
    for one in report.clusters:
        if one.level == 0:
            if cluster_id in (one.id, one.parent_id):
                return first, found.num_runs
            first += one.num_runs
    return first, 0


def shape_of(clusters: Iterable[Cluster]) -> dict[str, int]:
    """Items by name of the top-level category, the largest first."""
    counts: Counter[str] = Counter()
    for one in clusters:
        if one.parent_id is None:
            counts[one.name] += one.num_runs
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


async def item_rows(
    store: Store, items: Sequence[Item], names: Mapping[str, str]
) -> list[tuple[dict[str, Any], Run | None]]:
    """What a report knows of each item, and the latest root run whose id it has. `names`: of clusters by id."""
    found = await store.runs(items[0].workspace_id, {item.run_ids[-1] for item in items}) if items else {}
    return [(item_row(item, found.get(item.run_ids[-1]), names), found.get(item.run_ids[-1])) for item in items]


def item_row(item: Item, run: Run | None, names: Mapping[str, str]) -> dict[str, Any]:
    path = [one for one in item.path if one in names]
    return {
        "run_id": item.run_ids[-1],
        "source_id": item.source_id,
        "trace_id": run.trace_id if run else item.run_ids[-1],
        "thread_id": item.thread_id,
        "cluster_id": path[0] if path else None,
        "cluster_ids": path,
        "cluster_name": names[path[0]] if path else None,
        "summary": item.summary,
        "attributes": ordered(item.attributes),
        "unknown": ordered(item.unknown),
        "quotes": list(item.quotes),
        "quotes_dropped": item.quotes_dropped,
        "unread": item.unread,
        "confidence": item.confidence,
        "unusual": item.unusual,
        "effort": item.effort,
        "facts": item.facts.conduct.model_dump() if item.facts.conduct else None,
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "id": cluster.id,
        "parent_id": cluster.parent_id,
        "level": cluster.level,
        "name": cluster.name,
        "description": cluster.description,
        "parent_name": cluster.parent_name,
        "num_runs": cluster.num_runs,
        "stats": ordered(cluster.stats),
    }


def ordered(value: Any) -> Any:
    """With the keys of every mapping sorted: their order comes from outside and means nothing."""
    if isinstance(value, Mapping):
        return {key: ordered(value[key]) for key in sorted(value, key=str)}
    return [ordered(one) for one in value] if isinstance(value, list | tuple) else value


def iso(microseconds: int | None) -> str | None:
    return None if microseconds is None else (_EPOCH + timedelta(microseconds=microseconds)).isoformat()
