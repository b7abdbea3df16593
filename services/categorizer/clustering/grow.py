"""From a space to leaves and categories of its distinct items, within what the user asked for."""

from dataclasses import dataclass

import numpy as np

from services.categorizer.clustering.leaves import LEAST, most, number, partition, readable
from services.categorizer.clustering.space import Space
from services.categorizer.clustering.sphere import Array, Labels, centroids, compact
from services.categorizer.clustering.top import categories
from services.categorizer.clustering.ward import cut, merges

INSIDE = 10  # leaves in a category, while their number is bounded
_DISTINCT = 12  # fewer distinct items: leaves straight from the merge tree
_COPIES = 4  # so many of each distinct item, on average: each is a leaf
_MOST = 300  # leaves, where their number is automatic and not bounded


@dataclass(frozen=True, slots=True)
class Wanted:
    """Numbers of leaves and categories, None where automatic; the bound on automatic leaves, 0 for none."""

    leaves: int | None = None
    top: int | None = None
    max_leaves: int = 60


@dataclass(frozen=True, slots=True)
class Grown:
    """The leaf of each distinct item (u,), the category of each leaf, how many leaves there were before merging."""

    leaf: Labels
    category: Labels
    leaves: int


def grow(s: Space, wanted: Wanted, seed: int) -> Grown:
    """Leaves, then categories of them; where leaves are bounded, at most ten in a category.

    Beyond ten the closest leaves of the category are merged. Splitting the category instead would put what belongs
    together under two headings: two kinds of customers would become seven because one of them wants many things.
    """
    leaves = leaf_count(s, wanted, seed)
    return planted(s, leaves, wanted.top, INSIDE if wanted.leaves is None and wanted.max_leaves else None, seed)


def planted(s: Space, leaves: int, top: int | None, inside: int | None, seed: int) -> Grown:
    """The tree with so many leaves, `top` categories (None: automatic) and at most `inside` leaves in each."""
    leaf, coarser = (few(s.raw, leaves), []) if len(s.raw) < _DISTINCT else partition(s.smooth, leaves, seed)
    category = categories(s.raw, leaf, coarser, top, seed)
    if inside:
        leaf, category = at_most(s.raw, leaf, category, inside)
    return Grown(leaf, category, leaves)


def leaf_count(s: Space, wanted: Wanted, seed: int) -> int:
    """How many leaves: as asked for, as many as a bounded reader can take, or as many as there seem to be."""
    distinct = len(s.raw)
    if wanted.leaves:
        return min(wanted.leaves, distinct)
    if distinct < _DISTINCT:
        repeated = int(s.copies.sum()) >= _COPIES * distinct
        return distinct if repeated else max(1, distinct // 3)
    high = readable(distinct, wanted.max_leaves) if wanted.max_leaves else min(distinct // 4, _MOST)
    decide = most if wanted.max_leaves else number
    return decide(s.raw, s.smooth, min(LEAST, high), high, seed)


def few(x: Array, k: int) -> Labels:
    """k groups of a handful of rows (n, d), by Ward alone."""
    return cut(merges(x, np.ones(len(x))), len(x), k)


def at_most(x: Array, leaf: Labels, category: Labels, inside: int) -> tuple[Labels, Labels]:
    """Leaves (n,) and their categories; the closest leaves of a category with more than `inside` are merged."""
    leaves = len(category)
    centres = centroids(x, leaf, leaves)
    size = np.bincount(leaf, minlength=leaves)
    into = np.arange(leaves)
    for members in (np.flatnonzero(category == at) for at in range(int(category.max()) + 1)):
        if len(members) > inside:
            label = cut(merges(centres[members], size[members]), len(members), inside)
            into[members] = members[np.unique(label, return_index=True)[1]][label]
    return compact(into)[leaf], category[np.unique(into)]
