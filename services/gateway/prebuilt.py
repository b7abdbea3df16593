"""Configurations that every project has: what LangSmith calls prebuilt."""

from collections.abc import Mapping
from typing import Any

from shared.jobs import name_uuid
from shared.models import SavedConfig
from shared.summary_prompts import template

_USAGE = {
    "summary_prompt": template("usage-patterns"),
    "attribute_schemas": {
        "resolved": {"type": "boolean", "description": "did the user get what they wanted?"},
        "handed_over": {"type": "boolean", "description": "was the user handed over to a person?"},
    },
}
_ERRORS = {
    "summary_prompt": template("error-analysis"),
    "attribute_schemas": {
        "failed": {"type": "boolean", "description": "did the agent fail to do what was asked?"},
        "tool_failed": {"type": "boolean", "description": "did a call of a tool fail or return nothing of use?"},
        "user_dissatisfied": {"type": "boolean", "description": "does the user say that they are dissatisfied?"},
    },
}


def prebuilt(workspace_id: str, project_id: str) -> list[SavedConfig]:
    """As if they were saved in the project. Their ids are the same everywhere."""

    def made(name: str, about: str, config: Mapping[str, Any]) -> SavedConfig:
        return SavedConfig(
            workspace_id=workspace_id,
            id=name_uuid("prebuilt", name),
            project_id=project_id,
            name=name,
            description=about,
            config={"name": name, **config},
            created_at=0,
        )

    return [
        made("Usage patterns", "What people use the application for, and whether they get it.", _USAGE),
        made("Error analysis", "What goes wrong, where, and how often.", _ERRORS),
    ]
