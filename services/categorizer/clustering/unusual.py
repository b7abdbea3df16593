"""Items that are unlike all others: far from even their nearest neighbours."""

from typing import Any

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels

Flags = np.ndarray[Any, np.dtype[np.bool_]]

_MOST = 0.05  # of the items are called unusual at most
_FENCE = 1.5  # quartile ranges above the upper quartile: the whisker of a box plot, Tukey (1977)
_BLOCK = 65_536


def unusual(distance: Array) -> Flags:
    """Which items (n,) stand out by their mean distance (n,) to their nearest neighbours."""
    low, high = np.quantile(distance, [0.25, 0.75])
    at_most = int(_MOST * len(distance))
    fence = max(high + _FENCE * (high - low), np.sort(distance)[len(distance) - 1 - at_most])
    return np.asarray(distance > fence)


def far_from(
    vectors: Array, rows: Labels, leaf: Labels, hearts: Array, sample: Array, sample_leaf: Labels, share: float
) -> Flags:
    """Which of some rows lie farther from the heart of their leaf than all but `share` of the sample lie from theirs.

    For items beyond the sample, whose neighbours are not looked for.
    """
    fence = np.quantile(_to_heart(sample, sample_leaf, hearts), share)
    found = np.empty(len(rows), bool)
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = _to_heart(vectors[rows[block]], leaf[block], hearts) < fence
    return found


def _to_heart(x: Array, leaf: Labels, hearts: Array) -> Array:
    """The cosine of each row (n, d) to the centre of its leaf: (n,)."""
    return np.asarray(np.einsum("nd,nd->n", x, hearts[leaf]), np.float32)
