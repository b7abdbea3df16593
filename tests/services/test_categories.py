"""Grouping without a model, and the tree that is made of it."""

import random
from collections import Counter
from typing import Any

import pytest

from services.categorizer.local import VERSION, Category, Leaf, categorize
from services.categorizer.tree import build
from shared.bodies import pack
from shared.job_config import JobConfig
from shared.models import FEW, NONE_OF_THESE
from tests.services.conftest import features, job

TOPICS = ("refund money back card", "parcel lost courier late", "password login reset account")


def talk(items: int, seed: int = 0) -> list[bytes]:
    """Features of items that each say some words of one topic, and one of their own."""
    dice = random.Random(seed)
    return [
        features(" ".join([*dice.sample(TOPICS[n % 3].split(), 3), dice.choice("abcdefgh") * 4])) for n in range(items)
    ]


def members(categories: list[Category]) -> list[int]:
    return sorted(member for category in categories for leaf in category.leaves for member in leaf.members)


def leaves(categories: list[Category]) -> int:
    return sum(len(category.leaves) for category in categories)


EMPTY = features("")
KINDS: dict[str, list[bytes]] = {
    "1": talk(1),
    "2": talk(2),
    "7": talk(7),
    "8": talk(8),
    "30": talk(30),
    "300": talk(300),
    "100 identical": [features("refund my money")] * 100,
    "30 without words": [EMPTY] * 30,
    "one without words": [EMPTY],
    "100, one without words": [EMPTY, *talk(99)],
    "stop words only": [features("the and of")] * 9,
    "more words than dimensions": [
        features(f"word{chr(97 + n % 26)} {chr(97 + n // 26) * 5} refund") for n in range(200)
    ],
}
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "hierarchy": {"hierarchy": (5, 2)},
    "given": {"partitions": {"Refund": "money back", "Nobody": "zebra"}},
    "no limit": {"max_leaves": 0},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("items", KINDS.values(), ids=KINDS)
def test_every_item_lies_in_exactly_one_leaf_whatever_it_says(items: list[bytes], config: dict[str, Any]) -> None:
    found = categorize(items, JobConfig(**config))
    assert members(found) == list(range(len(items)))
    for category in found:
        for leaf in category.leaves:
            assert len(leaf.confidence) == len(leaf.members) > 0
            assert all(0 <= sure <= 1 for sure in leaf.confidence)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_same_items_and_seed_give_the_same_places(config: dict[str, Any]) -> None:
    assert categorize(talk(120), JobConfig(**config)) == categorize(talk(120), JobConfig(**config))


def test_items_of_one_topic_lie_together() -> None:
    found = categorize(talk(90), JobConfig(hierarchy=(3, 3)))
    assert sorted(sorted(m % 3 for m in members([category])) for category in found) == [[0] * 30, [1] * 30, [2] * 30]


def test_few_items_are_a_list_and_not_ten_categories() -> None:
    for items in (1, 2, FEW - 1):
        assert leaves(categorize(talk(items), JobConfig())) == 1
    assert leaves(categorize(talk(FEW), JobConfig())) > 1


def test_items_that_are_alike_are_not_torn_apart() -> None:
    found = categorize([features("refund money")] * 50 + [features("parcel lost")] * 50, JobConfig(hierarchy=(9, None)))
    assert leaves(found) == 2


@pytest.mark.parametrize(
    ("hierarchy", "expected"), [((5, 2), (5, 2)), ((4, 4), (4, 4)), ((6, 1), (6, 1)), ((1, 1), (1, 1))]
)
def test_the_hierarchy_is_leaves_then_top(hierarchy: tuple[int, int], expected: tuple[int, int]) -> None:
    found = categorize(talk(200), JobConfig(hierarchy=hierarchy))
    assert (leaves(found), len(found)) == expected


def test_automatic_leaves_stay_below_the_limit() -> None:
    assert leaves(categorize(talk(300), JobConfig(max_leaves=4))) == 4
    assert leaves(categorize(talk(300), JobConfig(max_leaves=0))) > 4


def test_large_categories_come_first() -> None:
    found = categorize(talk(90) + [features("refund money card")] * 60, JobConfig(hierarchy=(6, 3)))
    sizes = [len(members([category])) for category in found]
    assert sizes == sorted(sizes, reverse=True)


def test_given_categories_keep_their_order_and_the_rest_is_none_of_these() -> None:
    """One that nothing fits stays, empty, since the user asked for it."""
    config = JobConfig(partitions={"Zebras": "stripes", "Refund": "money back", "Parcel": ""})
    found = categorize([features(text) for text in ("money refund", "lost parcel", "weather report")], config)
    assert [(category.name, members([category])) for category in found] == [
        ("Zebras", []),
        ("Refund", [0]),
        ("Parcel", [1]),
        (NONE_OF_THESE, [2]),
    ]
    assert found[1].description == "money back"
    assert found[3].description


def test_where_everything_fits_there_is_no_none_of_these() -> None:
    found = categorize([features("refund please")] * 3, JobConfig(partitions={"Refund": ""}))
    assert [category.name for category in found] == ["Refund"]


def test_features_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="version b'w9' are not known"):
        categorize([b"w9" + pack({}), VERSION + pack({})], JobConfig())


def leaf(*at: int, words: str = "refund money") -> Leaf:
    return Leaf(list(at), [0.5] * len(at), words.split())


TREE = [
    Category("Money", "About money.", [leaf(0, 3), leaf(1, words="refund money card"), leaf(4)]),
    Category("Money", None, [leaf(2)]),
    Category("Nobody", None, []),
]
IDS = ["a", "b", "c", "d", "e"]


def test_the_sizes_of_subcategories_add_up_to_their_category_and_all_to_the_items() -> None:
    clusters, found = build(job(), IDS, TREE)
    tops = [cluster for cluster in clusters if cluster.level == 1]
    assert [top.num_runs for top in tops] == [4, 1, 0]
    for top in tops:
        assert sum(cluster.num_runs for cluster in clusters if cluster.parent_id == top.id) == top.num_runs
    assert sorted(assignment.item_id for assignment in found) == IDS
    assert Counter(one.path[0] for one in found) == {c.id: c.num_runs for c in clusters if c.level == 0}


def test_a_path_leads_from_the_leaf_to_its_category() -> None:
    clusters, found = build(job(), IDS, TREE)
    by_id = {cluster.id: cluster for cluster in clusters}
    for one in found:
        below, top = (by_id[cluster_id] for cluster_id in one.path)
        assert (below.level, below.parent_id, below.parent_name) == (0, top.id, top.name)
        assert (top.level, top.parent_id) == (1, None)


def test_ids_follow_from_job_and_place() -> None:
    first, again, other = (build(job(id=job_id), IDS, TREE)[0] for job_id in ("j", "j", "k"))
    assert first == again
    assert len({cluster.id for cluster in [*first, *other]}) == 2 * len(first)


def test_siblings_never_share_a_name_nor_does_a_subcategory_its_parents() -> None:
    clusters, _ = build(job(), IDS, [*TREE, Category("refund, money", None, [leaf(), leaf()])])
    for parent in {cluster.parent_id for cluster in clusters}:
        names = [cluster.name for cluster in clusters if cluster.parent_id == parent]
        assert len(set(names)) == len(names)
    for cluster in clusters:
        assert cluster.name != cluster.parent_name


def test_every_cluster_has_a_description_and_a_given_one_is_kept() -> None:
    clusters, _ = build(job(), IDS, TREE)
    assert clusters[0].description == "About money."
    assert all(cluster.description for cluster in clusters)
