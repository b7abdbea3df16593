"""Principal components: the directions in which items differ most; the rest is noise that blurs small groups."""

import numpy as np

from services.categorizer.clustering.sphere import Array, unit

_ENOUGH = 50_000  # rows that show the directions
_BLOCK = 65_536


def axes(x: Array, components: int) -> tuple[Array, Array]:
    """Mean (d,) of the rows and their main directions (d, c), c at most a quarter of the rows."""
    shown = x[:_ENOUGH]
    mean = shown.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = shown - mean
    directions = np.linalg.eigh(centred.T @ centred / len(shown))[1]
    count = min(components, max(2, len(x) // 4), x.shape[1])
    return mean, np.ascontiguousarray(directions[:, ::-1][:, :count])


def project(x: Array, mean: Array, directions: Array) -> Array:
    """Unit rows (n, c) of x (n, d) along the directions."""
    blocks = [(x[at : at + _BLOCK] - mean) @ directions for at in range(0, len(x), _BLOCK)]
    return unit(np.concatenate(blocks))
