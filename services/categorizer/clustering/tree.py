"""The whole: from unit vectors to leaves and categories of every item."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.categorizer.clustering.grow import Grown, Wanted, grow
from services.categorizer.clustering.order import canonical
from services.categorizer.clustering.space import NEIGHBOURS, Space, space
from services.categorizer.clustering.sphere import Array, Labels, centroids
from services.categorizer.clustering.spread import nearest_leaf, sureness
from services.categorizer.clustering.unusual import far_from, unusual
from shared.models import FEW

Flags = np.ndarray[Any, np.dtype[np.bool_]]

SAMPLE = 200_000  # items that are clustered; the rest is assigned


@dataclass(frozen=True, slots=True)
class Tree:
    """Where n items lie; the labels depend on the vectors and the seed only, not on their order."""

    leaf: Labels  # of each item, (n,)
    category: Labels  # of each leaf
    confidence: Array  # that the item's leaf is right: 0 (as near to another) .. 1, (n,)
    unusual: Flags  # which few are unlike all others, (n,)
    leaves: int = 0  # found, before those of a crowded category were merged; 0 where that was not kept


def tree(
    vectors: Array,
    *,
    leaves: int | None = None,
    top: int | None = None,
    max_leaves: int = 60,
    seed: int = 0,
    columns: Array | None = None,
) -> Tree:
    """The tree of unit rows (n, d).

    `leaves` and `top` fix the numbers (fewer come only where items are alike); `max_leaves` bounds the automatic
    number (0: no bound), and a category then has at most ten leaves. `columns` (n, c), already weighted, pull items
    with like values together. Fewer than 8 items, or items that are all alike, are one category of one leaf.
    """
    if len(vectors) < FEW and not (leaves or top):
        return _one(len(vectors))
    chosen = canonical(vectors, seed)[:SAMPLE]
    s = space(vectors[chosen], None if columns is None else columns[chosen], seed)
    if len(s.raw) == 1:
        return _one(len(vectors))
    return _of_all(vectors, columns, chosen, s, grow(s, Wanted(leaves or None, top or None, max_leaves), seed))


def _one(n: int) -> Tree:
    zeros = np.zeros(n, np.int64)
    return Tree(zeros, zeros[:1], np.ones(n, np.float32), np.zeros(n, bool), min(n, 1))


def _of_all(vectors: Array, columns: Array | None, chosen: Labels, s: Space, grown: Grown) -> Tree:
    """What was found for distinct items of the sample, for its items, and for those beyond it."""
    n = len(vectors)
    leaf, sure, odd = np.empty(n, np.int64), np.empty(n, np.float32), np.zeros(n, bool)
    centres = centroids(s.smooth, grown.leaf, len(grown.category))
    leaf[chosen] = grown.leaf[s.distinct]
    sure[chosen] = sureness(s.smooth, centres, grown.leaf)[s.distinct]
    lonely = s.far * np.maximum(1 - (s.copies - 1) / NEIGHBOURS, 0)  # a copy is a neighbour at no distance
    odd[chosen] = unusual(lonely[s.distinct])
    beyond = np.ones(n, bool)
    beyond[chosen] = False
    rest = np.flatnonzero(beyond)
    if len(rest):
        leaf[rest], sure[rest] = nearest_leaf(vectors, columns, rest, s, centres)
        hearts = centroids(s.raw, grown.leaf, len(grown.category))
        odd[rest] = far_from(vectors, rest, leaf[rest], hearts, s.raw, grown.leaf, float(odd[chosen].mean()))
    return Tree(leaf, grown.category, sure, odd, grown.leaves)
