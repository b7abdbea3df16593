"""How much closer rows lie to their own group than to the next one: Rousseeuw (1987), with cosine distances."""

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels, sums


def silhouette(x: Array, labels: Labels, rows: Labels) -> float:
    """Mean silhouette, -1..1, of some `rows` in a partition of unit rows x (n, d); 0 where there is one group.

    Exact without the n x n distances: the mean cosine distance to a group is 1 minus the product with its mean.
    """
    k = int(labels.max()) + 1
    if k < 2:
        return 0.0
    size = np.bincount(labels, minlength=k)
    product = x[rows] @ sums(x, labels, k).T
    own = labels[rows]
    at = np.arange(len(rows))
    inside = 1 - (product[at, own] - 1) / np.maximum(size[own] - 1, 1)
    distance = 1 - product / np.maximum(size, 1)
    distance[:, size == 0] = np.inf
    distance[at, own] = np.inf
    outside = distance.min(axis=1)
    value = (outside - inside) / np.maximum(np.maximum(outside, inside), 1e-9)
    value[size[own] == 1] = 0
    return float(value.mean(dtype=np.float64))
