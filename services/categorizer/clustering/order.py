"""An order of rows that depends on their values only, and looks random: the same tree however items arrived."""

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels

_BLOCK = 65_536


def canonical(x: Array, seed: int) -> Labels:
    """Indices (n,) that sort the rows (n, d) by a hash of their bytes; rows with equal bytes keep their order."""
    factors = np.random.default_rng(seed).integers(1 << 63, size=x.shape[1], dtype=np.uint64) | np.uint64(1)
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    hashes = [(bits[at : at + _BLOCK] * factors).sum(axis=1) for at in range(0, len(x), _BLOCK)]
    return np.argsort(np.concatenate(hashes), kind="stable")
