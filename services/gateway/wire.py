"""Documents as LangSmith's clients read them. After LangSmith's API, as its clients use it."""

from datetime import UTC, datetime
from typing import Any

from shared.models import Job, Project
from shared.report import head, report_of
from shared.store import Store


def project_body(project: Project) -> dict[str, Any]:
    """LangSmith's clients need `tenant_id` and `reference_dataset_id`, and call a project a session."""
    return {
        "id": project.id,
        "tenant_id": project.workspace_id,
        "reference_dataset_id": None,
        "name": project.name,
        "start_time": datetime.fromtimestamp(project.created_at / 1_000_000, UTC).isoformat(),
    }


async def job_detail(store: Store, job: Job) -> dict[str, Any]:
    return head(job, await report_of(store, job))


def job_created(job: Job) -> dict[str, Any]:
    """The answer to POST: what was stored, which a repeated Idempotency-Key finds as it is now."""
    known = head(job, None)
    return {key: known[key] for key in ("id", "name", "status", "error")}
