"""Traces that stand for others: the most typical of each category, and those that are unlike all others."""

import heapq
from collections.abc import Mapping
from typing import Any

from shared.models import Item

SHOWN = 5
FULL = 64  # a list of this length is cut down to those that are shown


class Examples:
    """Fed every item of the sample; keeps one of each leaf, and a few of the unusual."""

    def __init__(self) -> None:
        self._typical: dict[tuple[str, ...], tuple[float, str, dict[str, Any]]] = {}
        self._sizes: dict[tuple[str, ...], int] = {}
        self._unusual: list[tuple[float, str, dict[str, Any]]] = []
        self._unusual_count = 0

    def add(self, item: Item) -> None:
        if item.confidence is None:
            return
        path = tuple(item.path)
        self._sizes[path] = self._sizes.get(path, 0) + 1
        order = (-item.confidence, item.run_ids[-1])
        if path not in self._typical or order < self._typical[path][:2]:
            self._typical[path] = (*order, _shown(item))
        if item.unusual:
            self._unusual_count += 1
            self._unusual.append((item.confidence, item.run_ids[-1], _shown(item)))
            if len(self._unusual) > FULL:
                self._unusual = heapq.nsmallest(SHOWN, self._unusual, key=lambda one: one[:2])

    def typical(self, cluster_id: str) -> Mapping[str, Any] | None:
        """The item of the highest confidence in the largest leaf of this cluster; ties by run id."""
        leaves = [path for path in self._typical if cluster_id in path]
        if not leaves:
            return None
        largest = min(leaves, key=lambda path: (-self._sizes[path], self._typical[path][:2]))
        return self._typical[largest][2]

    def unusual(self) -> dict[str, Any]:
        """How many there are, and the five of the lowest confidence."""
        shown = heapq.nsmallest(SHOWN, self._unusual, key=lambda one: one[:2])
        return {"n": self._unusual_count, "traces": [one for _, _, one in shown]}


def _shown(item: Item) -> dict[str, Any]:
    return {"run_id": item.run_ids[-1], "source_id": item.source_id, "summary": item.summary}
