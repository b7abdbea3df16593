"""What the tree is made of: duplicates, silhouettes, order, odd ones, latent dimensions."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import silhouette_score

from services.categorizer.clustering.duplicates import ALIKE, groups, leaders
from services.categorizer.clustering.latent import latent
from services.categorizer.clustering.leaves import candidates, knee
from services.categorizer.clustering.order import canonical
from services.categorizer.clustering.silhouette import silhouette
from services.categorizer.clustering.sphere import unit
from services.categorizer.clustering.unusual import unusual
from tests.services.categorizer_clustering.planted import planted, unlike


def test_near_copies_are_one_group_and_others_stay_apart() -> None:
    x = unlike(30)
    copies = unit(np.repeat(x, 40, axis=0) + 0.01 * unlike(1_200, seed=1))

    labels = leaders(copies)

    assert (labels == np.repeat(np.arange(30), 40)).all()


def test_every_row_is_alike_to_a_leader_and_leaders_are_not_alike() -> None:
    x, _ = planted(4, 5, 60, noise=0.2)

    labels = leaders(x)
    first = x[np.unique(labels, return_index=True)[1]]

    assert ((x * first[labels]).sum(axis=1) >= ALIKE - 1e-6).all()
    assert (first @ first.T - 2 * np.eye(len(first))).max() < ALIKE


def test_among_many_rows_nearly_all_copies_are_found() -> None:
    x = np.repeat(unlike(2_000), 4, axis=0)

    assert len(np.unique(groups(x))) == 2_000


def test_the_silhouette_is_that_of_scikit_learn() -> None:
    x, truth = planted(3, 3, 15)
    labels = np.concatenate([truth[:-1], [9]])  # with a group of one

    assert abs(silhouette(x, labels, np.arange(len(x))) - silhouette_score(x, labels, metric="cosine")) < 1e-4


def test_one_group_has_no_silhouette() -> None:
    assert silhouette(unlike(9), np.zeros(9, np.int64), np.arange(9)) == 0


def test_the_order_of_rows_depends_on_their_values_only() -> None:
    x = unlike(500)
    other = np.random.default_rng(1).permutation(500)

    assert (x[canonical(x, 0)] == x[other][canonical(x[other], 0)]).all()
    assert (canonical(x, 0) != canonical(x, 1)).any()


def test_the_knee_is_where_the_curve_bends() -> None:
    assert knee([2, 4, 8, 16, 32], [10, 6, 1, 0.8, 0.6]) == 2


def test_numbers_tried_grow_from_low_to_high() -> None:
    tried = candidates(4, 100)

    assert tried[0] == 4
    assert tried == sorted(set(tried))
    assert tried[-1] <= 100


def test_only_the_few_that_stand_out_are_unusual() -> None:
    distance = np.random.default_rng(0).normal(0.3, 0.03, 200).astype(np.float32)
    distance[:4] = 0.9

    odd = unusual(distance)

    assert odd[:4].all()
    assert odd.mean() <= 0.05
    assert not unusual(np.full(50, 0.3, np.float32)).any()


def test_rows_with_the_same_terms_are_alike_in_few_dimensions() -> None:
    counts = np.kron(np.eye(3), np.ones((10, 40))) * np.random.default_rng(0).random((30, 120))

    rows = latent(csr_array(counts.astype(np.float32)), 5)

    assert rows.shape == (30, 5)
    assert (rows @ rows.T)[:10, :10].mean() > 0.6
    assert abs((rows @ rows.T)[:10, 10:]).max() < 0.1
