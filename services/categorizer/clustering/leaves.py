"""Leaves: how many there are, and which item lies in which."""

import math

import numpy as np

from services.categorizer.clustering.dendrogram import dendrogram
from services.categorizer.clustering.silhouette import silhouette
from services.categorizer.clustering.sphere import Array, Labels, centroids, compact, lloyd

LEAST = 6  # leaves, where their number is automatic and items suffice
_LIFTED = 90  # leaves that a reader takes in who lifts the default bound of 60
_GROUPS = 4  # small groups that a leaf is made of
_SHOWN = 600  # small groups that decide on the number
_LOOKED_AT = 6_000  # rows that decide on the number
_SILHOUETTE = 2_000
_NEARLY = 0.85  # of the best silhouette
_GROWTH = 1.12  # of the numbers tried
_ROUGH = 3  # rounds of k-means for a number that is tried
_ROUNDS = 20
_COARSER = (0.85, 0.65)  # partitions beside the leaves, as a second opinion of what belongs together
_FEW = 60  # leaves whose coarser partitions would be categories already


def partition(y: Array, k: int, seed: int) -> tuple[Labels, list[Labels]]:
    """k leaves of positions y (n, c), fewer only where rows are alike: labels (n,); and two coarser partitions."""
    groups = max(k, min(_GROUPS * k, len(y) // 4))
    tree = dendrogram(y, groups, np.random.default_rng(seed))
    coarser = [round(k * share) for share in _COARSER if k > _FEW]
    return refined(y, tree.cut(k), _ROUNDS), [refined(y, tree.cut(fewer), _ROUGH) for fewer in coarser]


def refined(y: Array, labels: Labels, rounds: int) -> Labels:
    """The partition after k-means from its centres."""
    return compact(lloyd(y, centroids(y, labels, int(labels.max()) + 1), rounds)[0])


def number(x: Array, y: Array, low: int, high: int, seed: int) -> int:
    """The likely number of leaves, low..high, of raw unit rows x (n, d) at positions y (n, c).

    Between two answers that err in opposite directions: the knee of the inertia, which lumps, and the best
    silhouette, which splits. Where the silhouette is flat, both lump; so never fewer than a reader of 90 would get.
    """
    tried, partitions = _tried(y, low, high, seed)
    if len(tried) < 2:
        return tried[0]
    quality = _quality(x, partitions)
    lumped = tried[knee(tried, [inertia(y[:_LOOKED_AT], labels) for labels in partitions])]
    split = tried[int(np.argmax(quality))]
    return max(round(math.sqrt(lumped * split)), _largest(tried, quality, readable(len(x), _LIFTED)))


def most(x: Array, y: Array, low: int, high: int, seed: int) -> int:
    """The largest number of leaves, low..high, that tells items apart nearly as well as the best number there.

    For a reader with a limit: what he can take in is not left out unless it would mislead.
    """
    tried, partitions = _tried(y, low, high, seed)
    return _largest(tried, _quality(x, partitions), high)


def readable(items: int, limit: int) -> int:
    """The most leaves for a reader who takes in `limit`: eight items a leaf on average, where that leaves some."""
    return min(max(items // 8, min(items // 4, LEAST)), limit)


def _largest(tried: list[int], quality: Array, limit: int) -> int:
    """The largest number up to the limit, which the first is, whose quality is nearly the best of those."""
    shown = quality[: max(1, sum(k <= limit for k in tried))]
    return tried[int(np.flatnonzero(shown >= min(_NEARLY * shown.max(), shown.max()))[-1])]


def _tried(y: Array, low: int, high: int, seed: int) -> tuple[list[int], list[Labels]]:
    """Numbers from low to high, and a partition of the first rows for each."""
    shown = y[:_LOOKED_AT]
    tree = dendrogram(shown, min(_SHOWN, max(high, len(shown) // 4)), np.random.default_rng(seed))
    tried = candidates(low, max(low, min(high, tree.size)))
    return tried, [refined(shown, tree.cut(k), _ROUGH) for k in tried]


def _quality(x: Array, partitions: list[Labels]) -> Array:
    rows = np.arange(min(len(partitions[0]), _SILHOUETTE))
    shown = x[: len(partitions[0])]
    return np.array([silhouette(shown, labels, rows) for labels in partitions], np.float32)


def candidates(low: int, high: int) -> list[int]:
    """Numbers low..high, each about an eighth more than the one before."""
    found = [low]
    while (following := max(found[-1] + 1, round(found[-1] * _GROWTH))) <= high:
        found.append(following)
    return found


def inertia(y: Array, labels: Labels) -> float:
    """Mean cosine distance of the rows to the centre of their group."""
    centres = centroids(y, labels, int(labels.max()) + 1)
    return float(1 - np.einsum("nd,nd->n", y, centres[labels]).mean(dtype=np.float64))


def knee(numbers: list[int], values: list[float]) -> int:
    """Where a falling curve over the logarithm of the numbers lies farthest below its chord: an index."""
    x = np.log(np.asarray(numbers, np.float64))
    v = np.asarray(values)
    along = (x - x[0]) / (x[-1] - x[0])
    fallen = (v[0] - v) / max(v[0] - v[-1], 1e-9)
    return int(np.argmax(fallen - along))
