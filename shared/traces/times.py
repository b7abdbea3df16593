"""Times as integer microseconds since 1970 in UTC; None where they can't be read or lie outside the years 1 to 9999."""

import math
import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_NUMBER = re.compile(r"-?\d{9,20}(\.\d*)?", re.ASCII)
_SEGMENT = re.compile(r"(\d{8}T\d{6,12})Z(.*)", re.ASCII | re.DOTALL)


def micros(value: object) -> int | None:
    """Of ISO 8601 (no zone is UTC), or a number of seconds, milli-, micro- or nanoseconds, told by its size."""
    if isinstance(value, str):
        text = value.strip()
        if text[4:5] == "-":
            return _of_text(text)
        return _of_number(float(text)) if _NUMBER.fullmatch(text) else _of_text(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _of_number(value)


def text_of(time: int) -> str:
    """ISO 8601 with zone; the inverse of `micros`."""
    return (_EPOCH + time * _MICROSECOND).isoformat()


def segment(text: str) -> tuple[int | None, str] | None:
    """Time and id of one part of a dotted_order, such as 20260214T235902184025Z019c5e97-…"""
    found = _SEGMENT.fullmatch(text)
    if found is None:
        return None
    stamp = found[1]
    return _of_text(f"{stamp[:15]}.{stamp[15:]:0<6}"), found[2]


def _of_text(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
        return _within(((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND)
    except (ValueError, OverflowError):
        return None


def _of_number(value: float) -> int | None:
    if not math.isfinite(value) if isinstance(value, float) else abs(value) > 10**20:
        return None
    size = abs(value)
    if size < 1e11:
        time = round(value * 1_000_000)
    elif size < 1e14:
        time = round(value * 1_000)
    else:
        time = round(value) if size < 1e17 else round(value) // 1_000
    return _within(time)


def _within(time: int) -> int | None:
    return time if EARLIEST <= time <= LATEST else None
