"""Ward's hierarchy of weighted points: which two groups merge next, so that the spread inside grows least.

Ward (1963) by the update of Lance and Williams (1967); a point of weight w counts as w points at one place.
"""

from typing import Any

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels, compact

Merges = np.ndarray[Any, np.dtype[np.int64]]
Numbers = np.ndarray[Any, np.dtype[Any]]


def merges(points: Array, weights: Numbers) -> Merges:
    """The merges of c points (c, d), cheapest first: (c - 1, 2) points that stand for the two groups that merge.

    A group is known by the first of its points. Equal costs: the earlier points first.
    """
    cost = _costs(points, weights)
    size = weights.astype(np.float64)
    alive = np.ones(len(points), bool)
    partner = cost.argmin(axis=1)
    least = cost.min(axis=1)
    done = np.empty((max(len(points) - 1, 0), 2), np.int64)
    for step in range(len(done)):
        first = int(least.argmin())
        second = int(partner[first])
        first, second = min(first, second), max(first, second)
        done[step] = first, second
        row = _merged(cost, size, first, second)
        alive[second] = False
        row[~alive] = np.inf
        row[first] = np.inf
        cost[first], cost[:, first] = row, row
        cost[second], cost[:, second] = np.inf, np.inf
        size[first] += size[second]
        least[second] = np.inf
        _repair(cost, partner, least, alive, first, second)
    return done


def _costs(points: Array, weights: Numbers) -> Numbers:
    """What merging each two points adds to the spread: w v / (w + v) times their squared distance; inf with itself."""
    x = points.astype(np.float64)
    square = (x**2).sum(axis=1)
    distance = np.maximum(square[:, None] + square[None] - 2 * (x @ x.T), 0)
    w = weights.astype(np.float64)
    cost: Numbers = distance * (w[:, None] * w[None]) / (w[:, None] + w[None])
    np.fill_diagonal(cost, np.inf)
    return cost


def _merged(cost: Numbers, size: Numbers, first: int, second: int) -> Numbers:
    """Costs of merging the union of two groups with every other (Lance and Williams)."""
    both = size[first] + size[second]
    row: Numbers = (
        (size[first] + size) * cost[first] + (size[second] + size) * cost[second] - size * cost[first, second]
    )
    return np.asarray(row / (both + size))


def _repair(cost: Numbers, partner: Labels, least: Numbers, alive: Numbers, first: int, second: int) -> None:
    """Each group's cheapest partner again, where the merge has changed it."""
    stale = np.flatnonzero(alive & ((partner == first) | (partner == second)))
    stale = np.append(stale, first)
    partner[stale] = cost[stale].argmin(axis=1)
    least[stale] = cost[stale, partner[stale]]
    closer = alive & (cost[first] < least)
    partner[closer] = first
    least[closer] = cost[first][closer]


def cut(tree: Merges, points: int, k: int) -> Labels:
    """The k groups that are left after the first merges: labels 0..k-1 of the points, numbered by first point."""
    labels = np.arange(points)
    for first, second in tree[: points - k][::-1].tolist():  # the last first: by then its group has its final label
        labels[second] = labels[first]
    return compact(labels)
