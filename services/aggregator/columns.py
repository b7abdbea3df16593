"""Known numbers of many items, kept so that the figures of any group of them, and of the rest, are exact.

An item lies at a place: the number of the leaf that it is in. A group is a set of places, so that one column serves
every category, every subcategory and the rest of each.
"""

from array import array
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

LARGEST = 2**53  # no measurement of a trace is beyond it, and sums of fewer than 2**53 such numbers stay finite
Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Group:
    """Some of the items: (places,) which places belong to it, and how many items lie there."""

    places: Mask
    size: int


class Column:
    """The known values of one figure: 12 bytes each. All are added before the first is read."""

    def __init__(self) -> None:
        self._values = array("d")
        self._places = array("i")

    def __len__(self) -> int:
        return len(self._values)

    def add(self, place: int, value: float | None, *, lowest: float = 0) -> None:
        """NaN, infinity and what no clock or meter can show are unknown, as None is."""
        if value is not None and lowest <= value <= LARGEST:
            self._values.append(value)
            self._places.append(place)

    def of(self, group: Group) -> Array:
        """(known in the group,), ascending."""
        values, places = self._ordered
        known: Array = values[group.places[places]]
        return known

    def ranks(self, group: Group) -> Array:
        """(known in the group,): their ranks among all, from 1; equal values share the mean of theirs."""
        ranks: Array = self._ranks[group.places[self._ordered[1]]]
        return ranks

    @cached_property
    def ties(self) -> float:
        """0..1: what equal values leave of the variance of a sum of ranks (Lehmann, Nonparametrics, 1975, 1.2)."""
        from scipy.stats import tiecorrect  # it takes a second to import: not at the start of every process

        return float(tiecorrect(self._ranks))

    @cached_property
    def middle(self) -> float | None:
        """The median of all."""
        return float(np.median(self._ordered[0])) if self._values else None

    @cached_property
    def _ordered(self) -> tuple[Array, np.ndarray[Any, np.dtype[np.int32]]]:
        values, places = np.array(self._values), np.array(self._places, np.int32)
        order = np.argsort(values, kind="stable")
        return values[order], places[order]

    @cached_property
    def _ranks(self) -> Array:
        from scipy.stats import rankdata

        ranks: Array = rankdata(self._ordered[0])
        return ranks
