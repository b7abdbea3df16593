"""A run as LangSmith's clients read it."""

from collections.abc import Mapping
from typing import Any

from shared.bodies import unpack
from shared.errors import ItemError
from shared.models import BodyPart, Run
from shared.report import iso

COUNTS = (
    "prompt_tokens", "completion_tokens", "total_tokens", "prompt_cost", "completion_cost", "total_cost",
)  # fmt: skip


def run_body(run: Run, packed: Mapping[BodyPart, bytes]) -> dict[str, Any]:
    """A body that is damaged is null."""
    bodies = {part: _unpacked(body) for part, body in packed.items()}
    extra = bodies.get("extra")
    return {
        "id": run.id,
        "name": run.name,
        "run_type": run.run_type,
        "session_id": run.project_id,
        "trace_id": run.trace_id,
        "parent_run_id": run.parent_run_id,
        "dotted_order": run.dotted_order,
        "thread_id": run.thread_id,
        "start_time": iso(run.start_time),
        "end_time": iso(run.end_time),
        "status": run.status,
        "error": bodies.get("error") or run.error,
        "inputs": bodies.get("inputs") or {},
        "outputs": bodies.get("outputs"),
        "extra": extra if isinstance(extra, dict) else {"metadata": run.metadata},
        "metadata": run.metadata,
        "events": bodies.get("events") or [],
        "serialized": bodies.get("serialized"),
        "tags": list(run.tags),
        "feedback_stats": {key: one.model_dump() for key, one in run.feedback.items()},
        **{name: getattr(run, name) for name in COUNTS},
    }


def _unpacked(body: bytes) -> Any:
    try:
        return unpack(body)
    except ItemError:
        return None
