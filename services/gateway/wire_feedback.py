"""Feedback as LangSmith's clients read it."""

from typing import Any

from shared.feedback import FeedbackRecord
from shared.traces.times import text_of

_AS_STORED = (
    *("id", "key", "run_id", "trace_id", "score", "value", "comment", "correction"),
    *("feedback_config", "feedback_group_id", "comparative_experiment_id", "extra", "error"),
)


def feedback_body(record: FeedbackRecord) -> dict[str, Any]:
    """Its clients need `run_id` and `trace_id`, which may be null."""
    return {
        **{name: getattr(record, name) for name in _AS_STORED},
        "session_id": record.project_id,
        "created_at": text_of(record.created_at),
        "modified_at": text_of(record.modified_at),
        "feedback_source": record.feedback_source or {"type": record.source},
    }
