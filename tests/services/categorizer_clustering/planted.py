"""Unit vectors with known groups: far categories, and leaves close to one another inside each."""

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels, unit


def planted(categories: int, leaves: int, each: int, seed: int = 0, noise: float = 0.35) -> tuple[Array, Labels]:
    """Rows (categories * leaves * each, 48) and the leaf of each; leaf // leaves is its category."""
    rng = np.random.default_rng(seed)
    tops = unit(rng.standard_normal((categories, 48)))
    centres = unit(np.repeat(tops, leaves, axis=0) + 0.7 * unit(rng.standard_normal((categories * leaves, 48))))
    truth = np.repeat(np.arange(categories * leaves), each)
    return unit(centres[truth] + noise * unit(rng.standard_normal((len(truth), 48)))), truth


def unlike(n: int, d: int = 48, seed: int = 0) -> Array:
    """n rows (n, d) without any structure."""
    return unit(np.random.default_rng(seed).standard_normal((n, d)))
