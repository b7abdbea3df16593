"""The tree: a partition, true to planted groups, the same in any order, whatever the size of the input."""

import importlib

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from services.categorizer.clustering import Tree, agreement, tree
from services.categorizer.clustering.sphere import Labels, unit
from tests.services.categorizer_clustering.planted import planted, unlike


def check(found: Tree, n: int) -> None:
    """Every item in one leaf, no leaf and no category empty, confidences in range, few unusual."""
    assert found.leaf.shape == found.confidence.shape == found.unusual.shape == (n,)
    assert np.unique(found.leaf).tolist() == list(range(len(found.category)))
    assert np.unique(found.category).tolist() == list(range(int(found.category.max()) + 1))
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert found.unusual.mean() <= 0.05


def numbers(found: Tree) -> tuple[int, int]:
    return len(found.category), int(found.category.max()) + 1


def test_planted_leaves_and_categories_are_found() -> None:
    x, truth = planted(5, 4, 40)

    found = tree(x)

    check(found, len(x))
    assert adjusted_rand_score(truth // 4, found.category[found.leaf]) > 0.95
    assert adjusted_rand_score(truth, found.leaf) > 0.8


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7])
def test_few_items_are_one_category(n: int) -> None:
    found = tree(unlike(n))

    check(found, n)
    assert numbers(found) == (1, 1)


@pytest.mark.parametrize("n", [2, 5, 30, 100])
def test_items_that_are_all_alike_are_one_category(n: int) -> None:
    found = tree(np.repeat(unlike(1), n, axis=0))

    check(found, n)
    assert numbers(found) == (1, 1)


@pytest.mark.parametrize("distinct", [2, 5])
def test_a_few_requests_many_times_are_a_leaf_each(distinct: int) -> None:
    found = tree(np.repeat(unlike(distinct), 20, axis=0))

    check(found, 20 * distinct)
    assert len(found.category) == distinct
    assert (found.leaf.reshape(distinct, 20) == found.leaf[::20, None]).all()


def test_two_far_groups_are_two_categories_however_unequal() -> None:
    far = unlike(2)
    x = unit(np.concatenate([np.repeat(far[:1], 900, axis=0), np.repeat(far[1:], 30, axis=0)]) + 0.6 * unlike(930))

    found = tree(x)

    check(found, 930)
    assert int(found.category.max()) + 1 == 2
    assert adjusted_rand_score(np.arange(930) < 900, found.category[found.leaf]) == 1


@pytest.mark.parametrize("n", [8, 30, 300])
def test_items_without_structure_are_still_a_tree(n: int) -> None:
    check(tree(unlike(n)), n)


def test_the_partition_does_not_depend_on_the_order_of_items() -> None:
    x, _ = planted(4, 3, 25)
    other = np.random.default_rng(5).permutation(len(x))

    first, second = tree(x), tree(x[other])

    assert (first.leaf[other] == second.leaf).all()
    assert (first.category == second.category).all()
    assert (first.unusual[other] == second.unusual).all()
    assert np.array_equal(first.confidence[other], second.confidence)


@pytest.mark.parametrize(("leaves", "top"), [(12, 3), (20, None), (None, 7), (1, 1), (5, 5), (70, 2)])
def test_a_given_hierarchy_is_kept(leaves: int | None, top: int | None) -> None:
    x, _ = planted(4, 5, 12)

    found = tree(x, leaves=leaves, top=top)

    check(found, len(x))
    assert leaves is None or len(found.category) == leaves
    assert top is None or int(found.category.max()) + 1 == top


def test_a_bound_on_leaves_holds_and_ten_lie_in_a_category_at_most() -> None:
    x, _ = planted(2, 30, 12, noise=0.2)

    bounded, small, free = tree(x), tree(x, max_leaves=5), tree(x, max_leaves=0)

    assert np.bincount(bounded.category).max() <= 10
    assert len(small.category) <= 5
    assert len(free.category) > 40


def test_columns_pull_items_with_like_values_into_one_leaf() -> None:
    x, _ = planted(3, 1, 80)
    happy = np.random.default_rng(0).integers(2, size=len(x))
    columns = np.eye(2, dtype=np.float32)[happy]

    steered = tree(x, leaves=6, columns=columns)
    plain = tree(x, leaves=6)

    assert _purity(steered, happy) > 0.95 > 0.75 > _purity(plain, happy)


def _purity(found: Tree, values: Labels) -> float:
    counts = [np.bincount(values[found.leaf == leaf]).max() for leaf in range(len(found.category))]
    return float(np.sum(counts) / len(values))


def test_odd_items_are_flagged_and_copies_are_not() -> None:
    x, _ = planted(4, 2, 50)
    x = np.concatenate([x, unlike(3, seed=9), np.repeat(unlike(1, seed=8), 20, axis=0)])

    odd = tree(x).unusual

    assert odd[400:403].all()
    assert not odd[403:].any()


def test_beyond_the_sample_items_go_to_the_leaf_of_their_like(monkeypatch: pytest.MonkeyPatch) -> None:
    x, truth = planted(5, 2, 400)
    monkeypatch.setattr(importlib.import_module("services.categorizer.clustering.tree"), "SAMPLE", 1_000)

    found = tree(x, leaves=10)

    check(found, len(x))
    assert adjusted_rand_score(truth, found.leaf) > 0.95


def test_many_items_are_clustered_as_few_are() -> None:
    """The approximate path, above 6,000 items, finds what the exact one finds."""
    x, truth = planted(4, 4, 400)

    found = tree(x, leaves=16)

    check(found, len(x))
    assert adjusted_rand_score(truth, found.leaf) > 0.95


def test_leaves_inside_a_category() -> None:
    x, truth = planted(1, 4, 40)

    assert adjusted_rand_score(truth, tree(x, leaves=4, top=1).leaf) > 0.95
    assert 2 <= int(tree(x, top=1, max_leaves=10).leaf.max()) + 1 <= 10
    assert (tree(x[:5]).leaf == 0).all()
    assert (tree(np.repeat(x[:1], 20, axis=0), top=1).leaf == 0).all()


def test_clear_groups_come_out_again_and_noise_does_not() -> None:
    clear, _ = planted(4, 3, 30)
    noise = unlike(360)

    ours, theirs = agreement(clear, tree(clear)), agreement(noise, tree(noise))

    assert ours is not None
    assert theirs is not None
    assert ours.top > 0.9 > 0.5 > theirs.top
    assert ours.leaves > theirs.leaves


@pytest.mark.parametrize("n", [8, 9, 20])
def test_agreement_of_few_items_is_a_number(n: int) -> None:
    found = agreement(unlike(n), tree(unlike(n)))

    assert found is None or -1 <= found.leaves <= 1


def test_agreement_is_not_looked_at_where_there_is_one_leaf() -> None:
    x = np.repeat(unlike(1), 30, axis=0)

    assert agreement(x, tree(x)) is None


def test_the_seed_is_part_of_the_answer_and_the_same_seed_gives_the_same() -> None:
    x = unlike(200)

    assert np.array_equal(tree(x, seed=3).leaf, tree(x, seed=3).leaf)
    assert not np.array_equal(tree(x, seed=3).leaf, tree(x, seed=4).leaf)


@pytest.mark.parametrize("noise", [0.6, 1.5, 4.0])
def test_without_a_bound_there_are_as_many_leaves_as_with_one(noise: float) -> None:
    """Where nothing tells numbers of leaves apart, a lifted bound must not leave a reader with fewer."""
    rng = np.random.default_rng(3)
    rows = unit(rng.normal(size=(40, 32)).repeat(12, axis=0) + noise * rng.normal(size=(480, 32)))
    assert tree(rows, max_leaves=0).leaf.max() >= tree(rows).leaf.max()
