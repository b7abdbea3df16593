"""Documents as LangSmith's clients read them. After LangSmith's API, as its clients use it."""

from typing import Any

from shared.models import Job
from shared.report import head, report_of
from shared.store import Store


async def job_detail(store: Store, job: Job) -> dict[str, Any]:
    return head(job, await report_of(store, job))


def job_created(job: Job) -> dict[str, Any]:
    """The answer to POST: what was stored, which a repeated Idempotency-Key finds as it is now."""
    known = head(job, None)
    return {key: known[key] for key in ("id", "name", "status", "error")}
