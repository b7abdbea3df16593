"""outside.lonely: which items are about something else than all the rest."""

import numpy as np
import pytest

from services.categorizer.clustering.sphere import Array, Labels, unit
from services.categorizer.outside import Fit, lonely

DIMENSIONS = 64


def group(n: int, seed: int, spread: float = 0.08) -> Array:
    """Unit rows about one direction, (n, 64)."""
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=DIMENSIONS) + spread * DIMENSIONS**0.5 * rng.normal(size=(n, DIMENSIONS)))


def scattered(n: int, seed: int) -> Array:
    return unit(np.random.default_rng(seed).normal(size=(n, DIMENSIONS)))


def found(items: Array) -> Labels:
    """With one category that fits everything alike, so that company alone tells."""
    general = scattered(60, 99)
    share = np.ones((len(items), 1), np.float32)
    return lonely(Fit(items, share[:, 0]), share, Fit(general, np.ones(60, np.float32)), 0)


@pytest.mark.parametrize("n", [40, 200, 600])
def test_what_lies_scattered_beside_groups_is_found_and_nothing_of_the_groups(n: int) -> None:
    inside = np.concatenate([group(n // 2, 1), group(n // 2, 2)])
    alone = found(np.concatenate([inside, scattered(n // 10, 3)]))
    assert not alone[:n].any()
    assert alone[n:].mean() >= 0.9


@pytest.mark.parametrize("n", [40, 200, 600])
def test_where_nothing_is_like_general_requests_nothing_is_found(n: int) -> None:
    """Some items of a group are always the farthest from its heart; that alone does not make them strangers."""
    mixed = np.concatenate([group(n // 2, 1, spread=0.05), group(n // 2, 2, spread=0.2)])
    assert found(mixed).mean() <= 0.02


@pytest.mark.parametrize("n", [1, 2, 9, 10])
def test_few_items_have_no_company_that_could_be_looked_at(n: int) -> None:
    assert found(group(n, 1)).tolist() == [False] * n
