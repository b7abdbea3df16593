"""Many sparse terms in few dimensions: latent semantic analysis, Deerwester and others (1990)."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd

from services.categorizer.clustering.sphere import Array, unit

_ENOUGH = 50_000  # rows that show which terms go together


def latent(weights: csr_array, dimensions: int) -> Array:
    """Unit rows (n, dimensions) of weights (n, t); (n, t) where there are no more terms than that.

    The terms' directions are found by a randomised decomposition with a fixed seed, after Halko, Martinsson and
    Tropp (2011), each with its largest entry positive.
    """
    if weights.shape[1] <= dimensions:
        return unit(weights.toarray())
    shown = weights[:_ENOUGH]
    return unit(np.asarray(weights @ directions(shown, min(dimensions, shown.shape[0]))))


def directions(weights: csr_array, count: int) -> Array:
    """The `count` main directions of the rows (n, t), as columns (t, count)."""
    right = randomized_svd(weights, count, random_state=0)[2]
    largest = np.take_along_axis(right, np.abs(right).argmax(axis=1)[:, None], 1)
    return np.asarray((right * np.sign(largest)).T, np.float32)
