"""Ward's hierarchy: that of scipy, with weights that mean repetition."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from services.categorizer.clustering.ward import cut, merges
from tests.services.categorizer_clustering.planted import planted, unlike


def test_without_weights_it_is_scipys_ward() -> None:
    x = unlike(80)
    ours, theirs = merges(x, np.ones(80)), linkage(x, "ward")

    for k in (2, 5, 20, 60):
        assert adjusted_rand_score(cut(ours, 80, k), fcluster(theirs, k, "maxclust")) == 1


def test_a_weight_is_so_many_points_at_one_place() -> None:
    x = unlike(25)
    weights = np.random.default_rng(1).integers(1, 5, 25)
    repeated = np.repeat(np.arange(25), weights)

    tree = linkage(x[repeated], "ward")

    for k in (2, 6, 12):
        theirs = fcluster(tree, k, "maxclust")
        assert adjusted_rand_score(cut(merges(x, weights), 25, k)[repeated], theirs) == 1


def test_cuts_are_nested_and_have_the_number_asked_for() -> None:
    x, truth = planted(3, 4, 8)
    tree = merges(x, np.ones(len(x)))

    coarse, fine = cut(tree, len(x), 3), cut(tree, len(x), 12)

    assert [int(labels.max()) + 1 for labels in (coarse, fine)] == [3, 12]
    assert len(set(zip(coarse.tolist(), fine.tolist(), strict=True))) == 12
    assert adjusted_rand_score(coarse, truth // 4) == 1


def test_one_point_has_no_merges() -> None:
    assert len(merges(unlike(1), np.ones(1))) == 0
    assert cut(merges(unlike(1), np.ones(1)), 1, 1).tolist() == [0]
