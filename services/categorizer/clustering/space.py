"""Items as the leaves see them: near-duplicates once, in few dimensions, drawn together along their neighbours."""

from dataclasses import dataclass

import numpy as np

from services.categorizer.clustering.duplicates import groups
from services.categorizer.clustering.graph import fuzzy_graph, smooth
from services.categorizer.clustering.neighbours import EXACT, nearest
from services.categorizer.clustering.reduce import axes, project
from services.categorizer.clustering.sphere import Array, Labels, centroids, sums, unit

COMPONENTS, WIDE = 64, 128  # dimensions for leaves; for neighbours, where they are approximate
NEIGHBOURS = 15
SMOOTHING = 2


@dataclass(frozen=True, slots=True)
class Space:
    """u distinct items of n: `raw` mean directions (u, d), `smooth` positions (u, c), which item is which (n,)."""

    distinct: Labels
    copies: Labels
    raw: Array
    smooth: Array
    far: Array  # mean distance to the nearest neighbours, (u,)
    mean: Array
    directions: Array


def space(x: Array, columns: Array | None, seed: int) -> Space:
    """The space of unit rows x (n, d), in random order; `columns` (n, c) pull items with like values together."""
    distinct = groups(beside(x, columns), seed)
    count = int(distinct.max()) + 1
    copies = np.bincount(distinct, minlength=count)
    raw = centroids(x, distinct, count)
    pulled = None if columns is None else _means(columns, distinct, copies)
    mean, directions = axes(raw, WIDE)
    wide = project(raw, mean, directions)
    seen = raw if count <= EXACT else wide
    m = min(NEIGHBOURS, max(2, count // 10), count - 1)
    indices, similarities = nearest(beside(seen, pulled), m, seed)
    narrow = directions[:, :COMPONENTS]
    reduced = beside(unit(wide[:, :COMPONENTS]), pulled)
    positions = smooth(reduced, fuzzy_graph(indices, similarities), SMOOTHING) if count > 1 else reduced
    far = 1 - similarities.sum(axis=1) / max(m, 1)
    return Space(distinct, copies, raw, positions, far, mean, narrow)


def _means(columns: Array, distinct: Labels, copies: Labels) -> Array:
    """Mean value of the items that are one."""
    return np.asarray(sums(columns, distinct, len(copies)) / copies[:, None], np.float32)


def beside(x: Array, columns: Array | None) -> Array:
    return x if columns is None else unit(np.hstack([x, columns]))
