"""What a filter may ask of a run itself, without its bodies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.filters.values import Kind
from shared.models import Run


@dataclass(frozen=True, slots=True)
class Field:
    """`read` gives what the run knows: nothing, one value, or for an id the source's own id as well."""

    kind: Kind
    read: Callable[[Run], tuple[Any, ...]]


def _known(*values: Any) -> tuple[Any, ...]:
    return tuple(value for value in values if value is not None)


def _plain(name: str, kind: Kind) -> Field:
    return Field(kind, lambda run: _known(getattr(run, name)))


def _trace_ids(run: Run) -> tuple[Any, ...]:
    return _known(run.trace_id, run.source_id if run.parent_run_id is None else None)


FIELDS: Mapping[str, Field] = {
    "id": Field("id", lambda run: _known(run.id, run.source_id)),
    "trace_id": Field("id", _trace_ids),
    "parent_run_id": _plain("parent_run_id", "id"),
    **{name: _plain(name, "text") for name in ("name", "run_type", "status", "error", "thread_id")},
    "is_root": Field("boolean", lambda run: (run.parent_run_id is None,)),
    "start_time": _plain("start_time", "time"),
    "end_time": _plain("end_time", "time"),
    "latency": _plain("latency", "duration"),
    **{
        f"{part}_{what}": _plain(f"{part}_{what}", "number")
        for what in ("tokens", "cost")
        for part in ("total", "prompt", "completion")
    },
}
