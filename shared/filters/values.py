"""The values of filters: what fits which kind of field, how it is compared, and how it is written."""

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NoReturn

MAX_DEPTH = 100

Kind = Literal["text", "id", "number", "time", "duration", "boolean", "any"]
Scalar = str | int | float | bool | None

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DURATION = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class UnfitError(Exception):
    """A value does not fit its field; the sentence says what does."""


def fit(kind: Kind, value: Scalar) -> Scalar:
    """The value as the field holds it, or UnfitError."""
    if value is None or kind == "any":
        return value
    if kind == "text" or kind == "id":
        return _text(value, lower=kind == "id")
    if kind == "time":
        return _time(value)
    if kind == "duration" and isinstance(value, str):
        return _seconds(value)
    if isinstance(value, str) or isinstance(value, bool) != (kind == "boolean"):
        wanted = {"boolean": "true or false", "duration": 'seconds, or a text like "5s"'}.get(kind, "a number")
        raise UnfitError(f"Expected {wanted}")
    return value


def is_uuid(value: Scalar) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _text(value: Scalar, lower: bool) -> str:
    if not isinstance(value, str):
        raise UnfitError("Expected a text: put it in quotes")
    return value.lower() if lower and is_uuid(value) else value


def _time(value: Scalar) -> int:
    """µs since 1970; a time without a zone is UTC."""
    if not isinstance(value, str):
        raise UnfitError('Expected a time, like "2026-01-31T12:00:00Z"')
    try:
        time = datetime.fromisoformat(value)
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise UnfitError('This is no time: write it like "2026-01-31T12:00:00Z"') from None


def _seconds(value: str) -> float:
    match = _DURATION.fullmatch(value.strip())
    unit = match and _UNITS.get(match[2].lower().replace("µ", "u"))
    if not match or not unit:
        units = ", ".join(_UNITS)
        raise UnfitError(f'This is no duration: write seconds, or a number with a unit ({units}), like "300ms"')
    return _finite(float(match[1]) * unit)


def read_number(text: str) -> int | float:
    value = _finite(float(text))
    return int(text) if text.lstrip("+-").isdecimal() else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise UnfitError("This number is too large")
    return value


def _no_constant(name: str) -> NoReturn:
    raise UnfitError(f"{name} cannot be compared")


def read_pairs(text: str) -> dict[str, Any]:
    """The pairs of has(metadata, '{…}')."""
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_float=lambda digits: _finite(float(digits)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found:
        raise UnfitError(
            'Expected pairs as JSON, like \'{"env": "prod"}\'; for a key alone use exists(metadata, "env")'
        )
    if _too_deep(found):
        raise UnfitError(f"More than {MAX_DEPTH} values inside each other")
    return found


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def same(found: Any, wanted: Any) -> bool:
    """Equal as JSON: 1 equals 1.0, but neither true nor "1". Its depth is that of `wanted`, which is bounded."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(same(found[key], value) for key, value in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(wanted)
            and all(same(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


@lru_cache(maxsize=256)
def like(pattern: str) -> re.Pattern[str]:
    """Each % takes the shortest text that goes on, and never again: linear, whatever the pattern."""
    parts = [""]
    for match in re.finditer(r"\\([%_\\])|(.)", pattern, re.DOTALL):
        if match[2] == "%":
            parts.append("")
        else:
            parts[-1] += "." if match[2] == "_" else re.escape(match[1] or match[2])
    if len(parts) == 1:
        return re.compile(parts[0], re.DOTALL)
    first, *middle, last = parts
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle if part) + f".*{last}", re.DOTALL)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rendered(kind: Kind, value: Scalar) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if kind == "time" and isinstance(value, int):
        return quoted((_EPOCH + value * _MICROSECOND).isoformat())
    return quoted(value) if isinstance(value, str) else repr(value)
