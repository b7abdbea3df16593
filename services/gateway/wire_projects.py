"""Projects as LangSmith's clients read them: they call them sessions."""

from typing import Any

from shared.models import Project
from shared.traces.times import text_of


def project_body(project: Project) -> dict[str, Any]:
    """LangSmith's clients need `tenant_id` and `reference_dataset_id`."""
    return {
        "id": project.id,
        "tenant_id": project.workspace_id,
        "reference_dataset_id": None,
        "name": project.name,
        "description": project.description,
        "extra": project.extra,
        "start_time": text_of(project.created_at),
        "end_time": None if project.end_time is None else text_of(project.end_time),
    }
