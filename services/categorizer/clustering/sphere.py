"""Points on the unit sphere, where the dot product is the cosine, and k-means among them.

Spherical k-means: Dhillon and Modha (2001). Seeding: greedy k-means++, Arthur and Vassilvitskii (2007).
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

Array = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, np.dtype[np.int64]]

_BLOCK = 16_384  # rows at a time: similarities of one block stay within tens of megabytes
_PER_SEED, _FEW = 10, 4_000  # rows that are looked at for a seed, and in all at least
_TRIALS = 3  # candidates per seed, of which the best stays
_ENOUGH = 1e-4  # relative gain of the mean similarity below which k-means stops


def unit(x: np.ndarray[Any, np.dtype[Any]]) -> Array:
    """Rows (n, d) scaled to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.ascontiguousarray(x / np.maximum(length, 1e-9), dtype=np.float32)


def compact(labels: Labels) -> Labels:
    """The same partition with labels 0..k-1, none unused, in the order of the old labels."""
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def sums(x: Array, labels: Labels, k: int) -> Array:
    """Sum of the rows of each label: (k, d)."""
    n = len(x)
    membership = csr_array((np.ones(n, np.float32), labels, np.arange(n + 1)), shape=(n, k))
    return np.asarray(membership.T @ x, dtype=np.float32)


def centroids(x: Array, labels: Labels, k: int) -> Array:
    """Unit mean direction of each label: (k, d)."""
    return unit(sums(x, labels, k))


def assign(x: Array, centres: Array) -> tuple[Labels, Array]:
    """The most similar centre of each row, the first of equals, and that similarity: both (n,)."""
    labels = np.empty(len(x), np.int64)
    similarity = np.empty(len(x), np.float32)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK] @ centres.T
        best = block.argmax(axis=1)
        labels[start : start + _BLOCK] = best
        similarity[start : start + _BLOCK] = np.take_along_axis(block, best[:, None], 1)[:, 0]
    return labels, similarity


def seeds(x: Array, k: int, rng: np.random.Generator) -> Array:
    """k rows of x far from one another (greedy k-means++): (k, d). Of many rows, in random order, the first suffice."""
    x = x[: max(_PER_SEED * k, _FEW)]
    chosen = [int(rng.integers(len(x)))]
    distance = np.maximum(1 - x @ x[chosen[0]], 0)
    for _ in range(k - 1):
        total = distance.sum(dtype=np.float64)
        if total > 0:
            candidates = np.searchsorted(np.cumsum(distance, dtype=np.float64), rng.random(_TRIALS) * total)
            candidates = np.minimum(candidates, len(x) - 1)
        else:
            candidates = rng.integers(len(x), size=_TRIALS)
        shrunk = np.minimum(distance, np.maximum(1 - x[candidates] @ x.T, 0))
        best = int(shrunk.sum(axis=1).argmin())
        chosen.append(int(candidates[best]))
        distance = shrunk[best]
    return np.ascontiguousarray(x[chosen])


def lloyd(x: Array, centres: Array, rounds: int) -> tuple[Labels, Array]:
    """k-means from these centres: labels (n,) and centres (k, d). A centre that loses all rows takes the worst fit."""
    before = -np.inf
    for _ in range(rounds):
        labels, similarity = assign(x, centres)
        total = sums(x, labels, len(centres))
        empty = np.bincount(labels, minlength=len(centres)) == 0
        if empty.any():
            total[empty] = x[np.argsort(similarity, kind="stable")[: empty.sum()]]
        centres = unit(total)
        mean = float(similarity.mean(dtype=np.float64))
        if mean - before < _ENOUGH * abs(mean):
            break
        before = mean
    return assign(x, centres)[0], centres
