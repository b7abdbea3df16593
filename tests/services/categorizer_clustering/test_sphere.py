"""Points on the sphere: k-means keeps what it promises."""

import numpy as np

from services.categorizer.clustering.sphere import assign, centroids, compact, lloyd, seeds, unit
from tests.services.categorizer_clustering.planted import planted, unlike


def test_unit_rows_have_length_one_and_zeros_stay() -> None:
    rows = unit(np.array([[3, 4], [0, 0]], np.float32))

    assert np.allclose(rows, np.array([[0.6, 0.8], [0, 0]]))


def test_labels_are_made_compact_in_their_order() -> None:
    assert compact(np.array([7, 2, 7, 5])).tolist() == [2, 0, 2, 1]


def test_the_centre_of_a_label_is_the_mean_direction_of_its_rows() -> None:
    x, truth = planted(2, 2, 10)

    assert np.allclose(centroids(x, truth, 4)[1], unit(x[truth == 1].sum(axis=0, keepdims=True))[0], atol=1e-6)


def test_every_row_goes_to_its_most_similar_centre() -> None:
    x = unlike(200)

    labels, similarity = assign(x, x[:7])

    assert (labels == (x @ x[:7].T).argmax(axis=1)).all()
    assert np.allclose(similarity, (x @ x[:7].T).max(axis=1))


def test_k_means_finds_far_groups_whatever_the_seed() -> None:
    x, truth = planted(5, 1, 30)

    for seed in range(5):
        labels, _ = lloyd(x, seeds(x, 5, np.random.default_rng(seed)), 20)
        assert len({(a, b) for a, b in zip(labels.tolist(), truth.tolist(), strict=True)}) == 5


def test_seeds_of_equal_rows_do_not_fail() -> None:
    assert seeds(np.ones((5, 3), np.float32), 3, np.random.default_rng(0)).shape == (3, 3)
