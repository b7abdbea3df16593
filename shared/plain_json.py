"""JSON that any reader takes, of values that came from traces."""

import json
import re
from typing import Any

_DIGITS = 308  # a reader that takes numbers as doubles can't hold more
_STRANGE = re.compile(rf"NaN|Infinity|\d{{{_DIGITS + 1}}}")


def dump(value: Any) -> str:
    """JSON in ASCII, so that a lone surrogate in a trace survives; NaN and what no double holds is null."""
    try:
        text = json.dumps(value, ensure_ascii=True)
    except ValueError:  # an integer of more digits than Python writes; no body of a run holds one
        text = json.dumps(_written(value), ensure_ascii=True)
    if _STRANGE.search(text):  # perhaps only in a text; Python's own reader tells, however deep it lies
        plain = json.loads(text, parse_constant=lambda _: None, parse_int=_integer, parse_float=_float)
        text = json.dumps(plain, ensure_ascii=True, allow_nan=False)
    return text


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    return None if isinstance(value, int) and value.bit_length() > 4 * _DIGITS else value


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits.lstrip("-")) <= _DIGITS else None


def _float(digits: str) -> float | None:
    value = float(digits)
    return None if value in (float("inf"), float("-inf")) else value
