"""Many sparse terms in few dimensions: latent semantic analysis, Deerwester and others (1990).

The decomposition is scikit-learn's `randomized_svd`, to the bit, written out: with what it imports, scikit-learn would
be a tenth of the memory of a report.
"""

import numpy as np
from scipy.linalg import lu, qr, svd
from scipy.sparse import csr_array

from services.categorizer.clustering.sphere import Array, unit

_ENOUGH = 50_000  # rows that show which terms go together
_SPARE = 10  # directions that are followed beside the wanted ones
_FEW, _STEPS_OF_FEW, _STEPS = 0.1, 7, 4  # share of all directions that is few; steps of the power iteration


def latent(weights: csr_array, dimensions: int) -> Array:
    """Unit rows (n, dimensions) of weights (n, t); (n, t) where there are no more terms than that.

    Each direction has its largest entry positive.
    """
    if weights.shape[1] <= dimensions:
        return unit(weights.toarray())
    shown = weights[:_ENOUGH]
    return unit(np.asarray(weights @ directions(shown, min(dimensions, shown.shape[0]))))


def directions(weights: csr_array, count: int) -> Array:
    """The `count` main directions of the rows (n, t), as columns (t, count)."""
    right = _right_singular(weights, count)
    largest = np.take_along_axis(right, np.abs(right).argmax(axis=1)[:, None], 1)
    return np.asarray((right * np.sign(largest)).T, np.float32)


def _right_singular(weights: csr_array, count: int) -> Array:
    """Right singular vectors of the largest singular values, as rows (count, t), with a fixed seed.

    Halko, Martinsson and Tropp (2011), "Finding structure with randomness", algorithm 4.4 with LU instead of QR in
    between; of the matrix or its transpose, whichever has fewer columns.
    """
    wide = weights.shape[0] < weights.shape[1]
    tall = weights.T if wide else weights
    found = np.random.RandomState(0).normal(size=(tall.shape[1], count + _SPARE)).astype(weights.dtype)
    for _ in range(_STEPS_OF_FEW if count < _FEW * min(weights.shape) else _STEPS):
        for side in (tall, tall.T):
            found = lu(side @ found, permute_l=True, check_finite=False)[0]
    basis = qr(tall @ found, mode="economic", check_finite=False)[0]
    left, _, right = svd(basis.T @ tall, full_matrices=False, check_finite=False)
    return np.asarray(((basis @ left).T if wide else right)[:count])
