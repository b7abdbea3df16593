"""The neighbours' graph: symmetric weights, and smoothing that draws groups together."""

import numpy as np

from services.categorizer.clustering.graph import fuzzy_graph, smooth, transitions
from services.categorizer.clustering.neighbours import nearest
from tests.services.categorizer_clustering.planted import planted


def test_weights_are_symmetric_without_loops_and_the_nearest_counts_one() -> None:
    x, _ = planted(3, 3, 20)
    indices, similarities = nearest(x, 8)

    graph = fuzzy_graph(indices, similarities)
    weights = graph.toarray()

    assert np.allclose(weights, weights.T, atol=1e-6)
    assert (weights.diagonal() == 0).all()
    assert weights.max() <= 1 + 1e-6
    assert np.allclose(weights[np.arange(len(x)), indices[:, 0]], 1, atol=1e-5)


def test_steps_from_a_row_sum_to_one() -> None:
    x, _ = planted(3, 3, 20)

    assert np.allclose(transitions(fuzzy_graph(*nearest(x, 8))).sum(axis=1), 1, atol=1e-5)


def test_smoothing_draws_rows_towards_their_group() -> None:
    x, truth = planted(3, 1, 60, noise=0.9)
    same = truth[:, None] == truth[None]

    y = smooth(x, fuzzy_graph(*nearest(x, 10)), 2)

    assert (y @ y.T)[same].mean() > (x @ x.T)[same].mean() + 0.1
    assert np.allclose(np.linalg.norm(y, axis=1), 1, atol=1e-5)


def test_equal_rows_make_a_graph() -> None:
    x = np.full((40, 4), 0.5, np.float32)

    assert np.isfinite(fuzzy_graph(*nearest(x, 5)).data).all()
