"""Items beyond the sample: each goes to the leaf whose centre is nearest."""

import numpy as np

from services.categorizer.clustering.reduce import project
from services.categorizer.clustering.space import Space, beside
from services.categorizer.clustering.sphere import Array, Labels, assign

_BLOCK = 65_536


def nearest_leaf(vectors: Array, columns: Array | None, rows: Labels, s: Space, centres: Array) -> tuple[Labels, Array]:
    """The leaf of some rows of the vectors (n, d), and how sure it is: both (rows,)."""
    leaf, sure = np.empty(len(rows), np.int64), np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK):
        at = rows[start : start + _BLOCK]
        position = project(vectors[at], s.mean, s.directions)
        position = beside(position, None if columns is None else columns[at])
        found = assign(position, centres)[0]
        leaf[start : start + _BLOCK] = found
        sure[start : start + _BLOCK] = sureness(position, centres, found)
    return leaf, sure


def sureness(y: Array, centres: Array, leaf: Labels) -> Array:
    """How much closer positions (n, c) lie to the centre of their leaf than to the next: 0 (as far) .. 1 (on it)."""
    if len(centres) == 1:
        return np.ones(len(y), np.float32)
    sure = np.empty(len(y), np.float32)
    for start in range(0, len(y), _BLOCK):
        similarity = y[start : start + _BLOCK] @ centres.T
        rows, own = np.arange(len(similarity)), leaf[start : start + _BLOCK]
        inside = np.maximum(1 - similarity[rows, own], 0)
        similarity[rows, own] = -np.inf
        outside = np.maximum(1 - similarity.max(axis=1), 1e-6)
        sure[start : start + _BLOCK] = np.clip(1 - inside / outside, 0, 1)
    return sure
