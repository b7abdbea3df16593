"""JSON objects of which one field holds the text: `--text FIELD`, where FIELD may be a path with dots."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.traces.history import ended
from shared.traces.identity import run_id
from shared.traces.record import NotARecordError, RawRun


def text_record(value: Any, field: str, name: Callable[[Any], str], id_field: str | None = None) -> RawRun:
    """One run whose inputs are {field: value}, whose outputs are unknown, and whose metadata is all the rest."""
    if not isinstance(value, dict):
        raise NotARecordError(f"not a JSON object with a field {field!r}")
    text = look_up(value, _path(value, field))
    if text is None:
        raise NotARecordError(f"no field {field!r}, or it is null; {fields_of(value)}")
    id_path = _path(value, id_field or "id")
    known = run_id(look_up(value, id_path))
    if known is None and id_field is not None:
        raise NotARecordError(f"no field {id_field!r} that could be an id; {fields_of(value)}")
    known = known or (name(value), None)
    metadata = _without(_without(value, _path(value, field)), id_path)
    fields = {"inputs": {field: text}, "extra": {"metadata": metadata}, **ended(value)}
    return RawRun(*known, "run", {key: kept for key, kept in fields.items() if kept is not None})


def fields_of(value: Mapping[str, Any]) -> str:
    """For a message: which fields there are."""
    if not value:
        return "the object is empty"
    names = ", ".join(repr(key[:40]) for key in list(value)[:10])
    return f"its fields are {names}{', …' if len(value) > 10 else ''}"


def look_up(value: Any, path: Sequence[str]) -> Any:
    """None where the path leads nowhere; a number is a place in a list."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 10 and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _path(value: Mapping[str, Any], field: str) -> tuple[str, ...]:
    return (field,) if field in value else tuple(field.split("."))


def _without(value: Any, path: Sequence[str]) -> Any:
    """A copy without what the path leads to; lists stay whole."""
    if not isinstance(value, dict) or path[0] not in value:
        return value
    rest = {key: kept for key, kept in value.items() if key != path[0]}
    if len(path) > 1:
        rest[path[0]] = _without(value[path[0]], path[1:])
    return rest
