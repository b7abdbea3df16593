"""Nearest neighbours: exact ones are those of brute force, approximate ones are nearly all found."""

import numpy as np

from services.categorizer.clustering.neighbours import approximate, exact, nearest
from tests.services.categorizer_clustering.planted import planted, unlike


def test_exact_neighbours_are_those_of_brute_force() -> None:
    x = unlike(700)
    similarity = x @ x.T
    np.fill_diagonal(similarity, -2)

    indices, cosines = exact(x, 9)

    assert (indices == np.argsort(-similarity, axis=1, kind="stable")[:, :9]).all()
    assert np.allclose(cosines, -np.sort(-similarity, axis=1)[:, :9], atol=1e-6)


def test_nine_in_ten_approximate_neighbours_are_true_ones() -> None:
    x, _ = planted(8, 10, 90)
    true, _ = exact(x, 15)

    found, _ = approximate(x, 15, seed=0)

    assert np.mean([len(set(a) & set(b)) / 15 for a, b in zip(true.tolist(), found.tolist(), strict=True)]) >= 0.9


def test_no_row_is_its_own_neighbour_and_the_best_comes_first() -> None:
    x, _ = planted(4, 4, 450)

    for indices, cosines in (nearest(x, 10), exact(x[:900], 10)):
        assert (indices != np.arange(len(indices))[:, None]).all()
        assert (np.diff(cosines, axis=1) <= 0).all()


def test_equal_rows_have_neighbours_too() -> None:
    indices, cosines = approximate(np.full((7_000, 4), 0.5, np.float32), 5, seed=0)

    assert (indices != np.arange(7_000)[:, None]).all()
    assert np.allclose(cosines, 1)
