"""LangSmith runs as they are exported or sent, one record a run, whatever their depth."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from shared.errors import InsightsError
from shared.traces.identity import run_id

Operation = Literal["run", "post", "patch"]
UNKNOWN = "unknown"  # the status of a record that is over and says nothing of how it ended
RUN_KEYS = frozenset({"inputs", "outputs", "run_type", "child_runs", "dotted_order", "parent_run_id"})
_NOT_FIELDS = frozenset({"id", "operation", "child_runs", "metadata"})


class NotARecordError(InsightsError):
    """This value is no run and no chat history; the others go on."""


@dataclass(frozen=True, slots=True)
class RawRun:
    """A run as its source has it, but for ids, which are UUIDs, and metadata, which is in `extra`.

    `source_id` is the source's own id where that is no UUID. `size` is in bytes, of the line, at its first record.
    `project_id` is None where whoever ingests it decides. A body may already be a Body.
    """

    id: str
    source_id: str | None
    operation: Operation
    fields: dict[str, Any]
    size: int = 0
    project_id: str | None = None


def run_records(
    value: Mapping[str, Any], operation: Operation = "run", name: Callable[[Any], str] | None = None
) -> Iterator[RawRun]:
    """The run and its child runs, parents first. `name` gives an id to a root that has none.

    Raises NotARecordError where the root has no id and `name` is None, or it has child runs that are no objects.
    """
    root = _root(value, operation, name)
    yield root
    open_ = [(root, value)]
    while open_:
        parent, fields = open_.pop()
        children = fields.get("child_runs")
        for place, child in enumerate(children if isinstance(children, list) else ()):
            if not isinstance(child, dict):
                raise NotARecordError("a child run is not a JSON object: it and those after it are left out")
            record = _child(child, parent, place)
            yield record
            open_.append((record, child))


def _root(value: Mapping[str, Any], operation: Operation, name: Callable[[Any], str] | None) -> RawRun:
    known = run_id(value.get("id"))
    if known is None:
        if name is None:
            raise NotARecordError(f"a {operation} without an id: give each run an id that is text")
        known = name(value), None
    return RawRun(*known, operation, _fields(value))


def _child(value: Mapping[str, Any], parent: RawRun, place: int) -> RawRun:
    known = run_id(value.get("id")) or run_id(f"{parent.id}/{place}")
    if known is None:  # never: the text above is an id
        raise NotARecordError("a child run without an id")
    fields = _fields(value)
    fields["parent_run_id"] = fields.get("parent_run_id") or parent.id
    fields["trace_id"] = fields.get("trace_id") or parent.fields.get("trace_id") or parent.id
    return RawRun(*known, parent.operation, fields)


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    fields = {key: kept for key, kept in value.items() if key not in _NOT_FIELDS and kept is not None}
    for key in ("trace_id", "parent_run_id"):
        if key in fields:
            known = run_id(fields.pop(key))
            if known:
                fields[key] = known[0]
    metadata = value.get("metadata")
    extra = fields.get("extra", {})
    if isinstance(metadata, dict) and metadata and isinstance(extra, dict):
        inner = extra.get("metadata")
        fields["extra"] = {**extra, "metadata": {**metadata, **(inner if isinstance(inner, dict) else {})}}
    return fields


def sized(records: Iterator[RawRun], size: int) -> Iterator[RawRun]:
    """The first of them with the size of the line that holds them all."""
    for record in records:
        yield replace(record, size=size) if size else record
        size = 0
