"""Documents as LangSmith's clients read them. After LangSmith's API, as its clients use it."""

from datetime import UTC, datetime
from typing import Any

from shared.models import Project


def project_body(project: Project) -> dict[str, Any]:
    """LangSmith's clients need `tenant_id` and `reference_dataset_id`, and call a project a session."""
    return {
        "id": project.id,
        "tenant_id": project.workspace_id,
        "reference_dataset_id": None,
        "name": project.name,
        "start_time": datetime.fromtimestamp(project.created_at / 1_000_000, UTC).isoformat(),
    }
