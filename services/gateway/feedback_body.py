"""Feedback as clients send it, in a body or in a part of one."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from services.gateway.bodies import SMALL_BYTES, Time
from shared.errors import InsightsError
from shared.feedback import API, FeedbackRecord
from shared.job_config import sentence
from shared.traces.identity import run_id
from shared.wording import clean

KEY_LENGTH = 180
BYTES = SMALL_BYTES  # of one piece of feedback


class FeedbackError(InsightsError):
    """This is no feedback; the sentence says why."""


def _id(value: Any) -> str | None:
    known = run_id(value)
    if known is None and value is not None:
        raise ValueError("an id is a UUID")
    return known[0] if known else None


def _key(value: str) -> str:
    if not 0 < len(value) <= KEY_LENGTH:
        raise ValueError(f"a key has 1 to {KEY_LENGTH} characters")
    return clean(value)


def _score(value: Any) -> Any:
    if value is not None and not isinstance(value, bool | int | float):
        raise ValueError("a score is a number, true, false or null: send other things as value")
    return value


Id = Annotated[str | None, BeforeValidator(_id)]


class FeedbackChange(BaseModel):
    """What is left out stays; null clears."""

    model_config = ConfigDict(extra="ignore")

    score: Annotated[Any, AfterValidator(_score)] = None
    value: Any = None
    comment: str | None = None
    correction: Any = None
    feedback_config: dict[str, Any] | None = None

    @property
    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class FeedbackCreate(FeedbackChange):
    id: Id = None
    key: Annotated[str, AfterValidator(_key)]
    run_id: Id = None
    trace_id: Id = None
    session_id: Id = None
    created_at: Time | None = None
    modified_at: Time | None = None
    feedback_source: dict[str, Any] | None = None
    feedback_group_id: Any = None
    comparative_experiment_id: Any = None
    extra: Any = None
    error: Any = None

    @model_validator(mode="after")
    def _has_subject(self) -> "FeedbackCreate":
        if not (self.run_id or self.trace_id or self.session_id):
            raise ValueError("say what it is about: run_id, trace_id, or session_id for a whole project")
        return self


def read_feedback(workspace_id: str, fields: Any, feedback_id: str, at: int) -> FeedbackRecord:
    """`feedback_id` and `at`, the time now in µs, stand in for what is not told; nothing is modified later than now.

    Feedback that names a trace alone is on its root run. Raises FeedbackError.
    """
    sent: FeedbackCreate = _validated(FeedbackCreate, fields)
    source = (sent.feedback_source or {}).get("type")
    created = at if sent.created_at is None else sent.created_at
    return FeedbackRecord(
        workspace_id=workspace_id,
        id=sent.id or feedback_id,
        run_id=sent.run_id or sent.trace_id,
        trace_id=sent.trace_id,
        project_id=sent.session_id,
        created_at=created,
        modified_at=min(at, created if sent.modified_at is None else sent.modified_at),
        source=source if isinstance(source, str) else API,
        **{name: getattr(sent, name) for name in _AS_SENT},
    )


def read_change(fields: Any) -> dict[str, Any]:
    """The fields that a PATCH sets. Raises FeedbackError."""
    sent: FeedbackChange = _validated(FeedbackChange, fields)
    return sent.changes


_AS_SENT = FeedbackCreate.model_fields.keys() & FeedbackRecord.model_fields.keys() - {
    *("id", "run_id", "trace_id", "created_at", "modified_at")
}


def _validated(kind: type[Any], fields: Any) -> Any:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise FeedbackError(sentence(error)) from error
