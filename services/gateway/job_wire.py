"""Jobs as LangSmith's clients read them.

No `project_id`, `tenant_id` or `host_url` in them: their clients pass these beside what we answer, and would fail.
"""

from typing import Any

from shared.models import Job, Report
from shared.report import head, iso, ordered, report_of
from shared.store import Store

CREATED = ("id", "name", "status", "error")
LISTED = ("id", "name", "status", "created_at", "start_time", "end_time", "error")


def job_created(job: Job) -> dict[str, Any]:
    """The answer to POST: what was stored, which a repeated Idempotency-Key finds as it is now."""
    known = head(job, None)
    return {key: known[key] for key in CREATED}


def job_listed(job: Job) -> dict[str, Any]:
    """Without a look at its report."""
    known = head(job, None)
    return {**{key: known[key] for key in LISTED}, "shape": job.shape, **_ours(job)}


async def job_detail(store: Store, job: Job) -> dict[str, Any]:
    report = await report_of(store, job)
    found = {**head(job, report), **_ours(job), **_reading(report)}
    found["report"]["created_at"] = iso(job.ended_at) if report else None
    return found


def _ours(job: Job) -> dict[str, Any]:
    """`metadata` is free in LangSmith's shape; what it holds is ours."""
    config = job.config
    models = {"summary": config.summary_model, "cluster": config.cluster_model}
    return {
        "config_id": job.config_id,
        "metadata": {
            "engine": config.engine,
            "models": models if config.engine == "model" else {},
            "unit": config.unit,
            "decisions": list(job.decisions),
            "config": config.model_dump(mode="json", exclude_defaults=True),
        },
    }


def _reading(report: Report | None) -> dict[str, Any]:
    """What must be known to read the report; ours."""
    return {
        "coverage": ordered(report.coverage) if report else None,
        "notes": list(report.notes) if report else [],
        "stats": ordered(report.stats) if report else None,
    }
