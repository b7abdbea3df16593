"""How documents lie in a store: the same way in both, so that what came in comes back equal from either.

What is keyed, filtered or compared-and-set stays plain. All else is JSON in ASCII: lone surrogates, NUL, NaN, big
integers and deep nesting, which MongoDB, SQLite or pydantic's JSON would refuse or change, are escaped in it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shared.access import ApiKey, Workspace
from shared.feedback import FeedbackRecord
from shared.models import Assignment, Item, Job, Project, Run, SavedConfig, Spending, StoredRun
from shared.secrets import Secret

D = TypeVar("D", bound=BaseModel)
T = TypeVar("T")


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.__dict__  # cheaper than model_dump, and `default` is called for what lies deeper
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":"), default=_jsonable)


def encode(value: Any) -> str:
    """JSON in ASCII of anything that a document holds; a ValueError for an integer of more than 4,300 digits."""
    return _ENCODER.encode(value)


@dataclass(frozen=True)
class Shape(Generic[D]):
    """One kind of document as named columns: those in `plain` as they are, the others as JSON; None stays None."""

    kind: type[D]
    plain: frozenset[str]
    key: frozenset[str]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.kind.model_fields)

    def row(self, document: D) -> dict[str, Any]:
        return {name: self._column(name, value) for name, value in document.__dict__.items()}

    def changes(self, target: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that a move to state `target` sets. A TypeError names a field that no move may change."""
        return {"state": str(target), **self.sets(changes)}

    def sets(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of these fields. A TypeError names one that may not change."""
        allowed = self.kind.model_fields.keys() - self.key - {"state"}
        if wrong := sorted(changes.keys() - allowed):
            raise TypeError(f"{self.kind.__name__} has no field {', '.join(wrong)} that may change")
        return {name: self._column(name, value) for name, value in changes.items()}

    def load(self, row: Mapping[str, Any]) -> D:
        """The document of a row; columns that are missing, or were added to it later, take their default."""
        values = {
            name: value if name in self.plain else json.loads(value)
            for name, value in row.items()
            if name in self.kind.model_fields and value is not None
        }
        return self.kind.model_validate(values)

    def _column(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name not in self.plain:
            return encode(value)
        return str(value) if isinstance(value, StrEnum) else value


PROJECT = Shape(Project, plain=frozenset({"workspace_id", "id", "created_at"}), key=frozenset({"workspace_id", "id"}))
JOB = Shape(
    Job,
    plain=frozenset({"workspace_id", "id", "project_id", "created_at", "state", "announced", "fence", "config_id"}),
    key=frozenset({"workspace_id", "id", "project_id", "created_at"}),
)
ITEM = Shape(
    Item,
    plain=frozenset({"workspace_id", "job_id", "id", "state", "leaf", "place", "features"}),
    key=frozenset({"workspace_id", "job_id", "id"}),
)
SAVED_CONFIG = Shape(
    SavedConfig,
    plain=frozenset({"workspace_id", "id", "project_id", "created_at", "version"}),
    key=frozenset({"workspace_id", "id", "project_id", "created_at"}),
)
COUNTED = ("calls", "kept", "input", "cached", "output", "cut")
SPENDING = Shape(Spending, plain=frozenset({"stage", "estimated", *COUNTED}), key=frozenset({"stage", "model"}))
WORKSPACE = Shape(Workspace, plain=frozenset({"id", "created_at"}), key=frozenset({"id"}))
API_KEY = Shape(ApiKey, plain=frozenset(ApiKey.model_fields) - {"name"}, key=frozenset({"digest"}))
FEEDBACK = Shape(
    FeedbackRecord,
    plain=frozenset({"workspace_id", "id", "run_id", "trace_id", "project_id", "created_at", "modified_at"}),
    key=frozenset({"workspace_id", "id"}),
)
SECRET = Shape(Secret, plain=frozenset({"workspace_id", "key", "sealed"}), key=frozenset({"workspace_id", "key"}))


_NONE = object()  # equals nothing
_RUN_DEFAULTS = {
    name: field.get_default(call_default_factory=True)
    for name, field in Run.model_fields.items()
    if not field.is_required()
}
ASSIGNED = ("leaf", "place", "path", "confidence", "unusual", "effort")


def assigned(one: Assignment) -> dict[str, Any]:
    """The columns of an item that an assignment sets, in the order of ASSIGNED."""
    columns = {name: encode(getattr(one, name)) for name in ASSIGNED[2:]}
    return {"leaf": one.path[0] if one.path else None, "place": one.place, **columns}


def sorted_bill(found: Iterable[Spending]) -> list[Spending]:
    return sorted(found, key=lambda one: (one.stage, one.model))


def dump_run(run: Run) -> str:
    """Without what is as by default: a third of the length, and of the time."""
    return encode({name: value for name, value in run.__dict__.items() if value != _RUN_DEFAULTS.get(name, _NONE)})


def load_run(text: str) -> Run:
    return Run.model_validate(json.loads(text))


def trace_order(run: Run) -> tuple[str, str, int, str]:
    return (run.trace_id, run.dotted_order or "", run.start_time or 0, run.id)


def without_twins(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """Each run once: the last of those with the same id."""
    return list({(stored.run.workspace_id, stored.run.id): stored for stored in runs}.values())


def names(states: Iterable[StrEnum]) -> list[str]:
    return [str(state) for state in states]


def slices(values: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
