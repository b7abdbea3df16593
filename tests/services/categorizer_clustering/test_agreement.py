"""How alike two partitions are: by the adjusted Rand index, as scikit-learn has it."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from services.categorizer.clustering.agreement import rand_index


def test_the_index_is_that_of_the_library() -> None:
    dice = np.random.default_rng(0)
    for n in range(1, 80):
        one, other = dice.integers(0, dice.integers(1, 9), n), dice.integers(0, dice.integers(1, 9), n)
        assert rand_index(one, other) == adjusted_rand_score(one, other)


def test_the_same_parts_are_1_whatever_they_are_called() -> None:
    parts = np.arange(30) % 4
    assert rand_index(parts, 3 - parts) == 1


def test_parts_that_have_nothing_to_do_with_each_other_are_0() -> None:
    at = np.arange(10_000)
    assert rand_index(at % 10, at // 10 % 10) == pytest.approx(0, abs=0.01)
