"""How far to trust a tree: does it come out again with other random numbers, and from half of the items?

Measured by the adjusted Rand index, Hubert and Arabie (1985): 1 the same partition, 0 no more alike than by chance.
"""

from dataclasses import dataclass

import numpy as np

from services.categorizer.clustering.grow import INSIDE, planted
from services.categorizer.clustering.order import canonical
from services.categorizer.clustering.space import space
from services.categorizer.clustering.sphere import Array, Labels
from services.categorizer.clustering.tree import Tree
from shared.trust import REPEATED_UP_TO

_SEEDS = (1, 2)
_HALF = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """Mean adjusted Rand index of the tree with its repetitions, on the items they have in common."""

    leaves: float
    top: float


def agreement(
    vectors: Array,
    found: Tree,
    *,
    leaves: int | None = None,
    top: int | None = None,
    max_leaves: int = 60,
    seed: int = 0,
    columns: Array | None = None,
) -> Agreement | None:
    """Of the tree of these vectors (n, d) with repetitions that have its numbers of leaves and categories.

    Two repetitions have other seeds, one has half of the items. None where there is nothing to look at: above 20,000
    items, or where all are in one leaf. The settings are those that the tree was made with.
    """
    if len(vectors) > REPEATED_UP_TO or len(found.leaf) == 0 or int(found.leaf.max()) == 0:
        return None
    inside = INSIDE if max_leaves and not leaves else None
    categories = top or int(found.category.max()) + 1
    order = canonical(vectors, seed + _HALF)
    runs = [(order, _SEEDS), (order[: len(order) // 2], (_HALF,))]
    wanted = (found.leaves or len(found.category), categories, inside)
    scores = [
        _score(found, rows, again)
        for rows, seeds in runs
        for again in _again(vectors[rows], None if columns is None else columns[rows], wanted, seed, seeds)
    ]
    of_leaves, of_top = np.mean(scores, axis=0)
    return Agreement(float(of_leaves), float(of_top))


def _again(
    x: Array, columns: Array | None, wanted: tuple[int, int, int | None], seed: int, seeds: tuple[int, ...]
) -> list[tuple[Labels, Labels]]:
    """Leaf and category of the rows, once for each seed."""
    s = space(x, columns, seed + seeds[0])
    leaves, top, inside = wanted
    grown = [planted(s, min(leaves, len(s.raw)), top, inside, seed + other) for other in seeds]
    return [(g.leaf[s.distinct], g.category[g.leaf][s.distinct]) for g in grown]


def _score(found: Tree, rows: Labels, again: tuple[Labels, Labels]) -> tuple[float, float]:
    leaf = found.leaf[rows]
    return (
        float(rand_index(leaf, again[0])),
        float(rand_index(found.category[leaf], again[1])),
    )


def rand_index(one: Labels, other: Labels) -> float:
    """The adjusted Rand index of two partitions of n items (n,), by the pairs that are together in one or both."""
    n = len(one)
    cells = np.zeros((int(one.max()) + 1, int(other.max()) + 1), np.int64)
    np.add.at(cells, (one, other), 1)
    both, in_one, in_other = (int((sizes**2).sum()) for sizes in (cells, cells.sum(axis=1), cells.sum(axis=0)))
    together, only_one, only_other = both - n, in_one - both, in_other - both
    apart = n * n - both - only_one - only_other
    if only_one == only_other == 0:
        return 1.0
    expected = (together + only_one) * (only_one + apart) + (together + only_other) * (only_other + apart)
    return 2.0 * (together * apart - only_one * only_other) / expected
