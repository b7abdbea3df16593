"""The items of a job in the order of one attribute: made once, with its report, so that a page of it is a slice.

Stored as little-endian int32: the places of those that have a value, by value, ties by place. Those without one come
last, in either direction.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int32]


def pack(values: Mapping[int, Any]) -> bytes:
    """`values`: by place, of those that have one. Numbers before texts, should both occur."""
    known = sorted(sorted(values), key=lambda place: _rank(values[place]))
    return np.array(known, "<i4").tobytes()


def unpack(body: bytes, first: int, count: int, *, descending: bool) -> Places:
    """The places `first` … `first + count - 1` in order; those without a value last."""
    found = np.frombuffer(body, "<i4")
    found = found[(found >= first) & (found < first + count)]
    without = np.ones(count, bool)
    without[found - first] = False
    ordered = found[::-1] if descending else found
    return np.concatenate([ordered, np.flatnonzero(without).astype(np.int32) + np.int32(first)])


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:
            number = float("inf") if value > 0 else float("-inf")
        return (0, number, "") if number == number else (1, 0.0, "")
    return (2, 0.0, str(value).casefold())
