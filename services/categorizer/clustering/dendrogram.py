"""All coarser partitions of many rows at once: small groups by k-means, then Ward's hierarchy of them."""

from dataclasses import dataclass

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels, centroids, compact, lloyd, seeds
from services.categorizer.clustering.ward import Merges, cut, merges

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Dendrogram:
    """The small group of each row (n,), and in which order groups merge."""

    group: Labels
    size: int  # groups
    tree: Merges

    def cut(self, k: int) -> Labels:
        """k groups of the rows (or all small groups, where there are fewer): labels 0.. (n,)."""
        return cut(self.tree, self.size, min(k, self.size))[self.group]


def dendrogram(y: Array, groups: int, rng: np.random.Generator) -> Dendrogram:
    """Of unit rows y (n, d), from about `groups` small groups on."""
    group = compact(lloyd(y, seeds(y, groups, rng), _ROUNDS)[0])
    size = int(group.max()) + 1
    return Dendrogram(group, size, merges(centroids(y, group, size), np.bincount(group)))
