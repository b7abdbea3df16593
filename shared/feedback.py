"""Feedback: what a person, a program or a model says of a run, or of a whole project where it names no run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from shared.models import Document, Feedback
from shared.traces.usage import number

API = "api"  # the type of a source that is not told


class FeedbackRecord(Document):
    """One piece of feedback. Its run need not be stored yet; once it is, trace and project are the run's."""

    workspace_id: str
    id: str
    key: str
    run_id: str | None = None
    trace_id: str | None = None
    project_id: str | None = None
    created_at: int
    modified_at: int
    source: str = API
    score: Any = None  # a number, true or false: true is 1 in a mean
    value: Any = None
    comment: str | None = None
    correction: Any = None
    feedback_source: dict[str, Any] | None = None
    feedback_config: dict[str, Any] | None = None
    feedback_group_id: Any = None
    comparative_experiment_id: Any = None
    extra: Any = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class WantedFeedback:
    """Of each list one must hold; an empty one asks nothing."""

    workspace_id: str
    run_ids: Sequence[str] = ()
    project_ids: Sequence[str] = ()
    keys: Sequence[str] = ()
    sources: Sequence[str] = ()


def counted(scores: Mapping[str, Sequence[Any]]) -> dict[str, Feedback]:
    """By key, in an order that does not depend on theirs."""
    return {key: _counted(scores[key]) for key in sorted(scores)}


def _counted(scores: Sequence[Any]) -> Feedback:
    known = [float(found) for one in scores if (found := one if isinstance(one, bool) else number(one)) is not None]
    return Feedback(n=len(scores), avg=fsum(known) / len(known) if known else None)


def joined(one: Feedback | None, other: Feedback) -> Feedback:
    """Of both, the mean over all scores."""
    if one is None:
        return other
    if one.avg is None or other.avg is None:
        return Feedback(n=one.n + other.n, avg=other.avg if one.avg is None else one.avg)
    n = one.n + other.n
    return Feedback(n=n, avg=(one.avg * one.n + other.avg * other.n) / n if n else None)
