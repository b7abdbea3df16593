"""Grouping without a model, and the tree that is made of it. Without vectors here: the words decide."""

import random
from collections import Counter
from typing import Any

import pytest
from sklearn.metrics import adjusted_rand_score

from services.categorizer.clusters import build
from services.categorizer.found import Category, Found, Leaf
from services.categorizer.local import categorize
from services.categorizer.sample import Sample
from shared.errors import ItemError
from shared.features import Features
from shared.job_config import JobConfig
from shared.models import FEW, NONE_OF_THESE, Conduct
from tests.services.conftest import features, item, job

TOPICS = (
    ("refund the money to my card", "get a refund for a broken lamp", "refund my last order"),
    ("track a lost parcel", "find my late parcel", "ask the courier about a parcel"),
    ("reset my account password", "change the password of my login", "unlock my account"),
)
OPENINGS = ("I want to", "Please", "Can you help me to", "I would like to")


def talk(items: int, seed: int = 0) -> list[bytes]:
    """Features of items that each ask for something of one of three topics, in words of their own."""
    dice = random.Random(seed)
    return [
        features(f"{dice.choice(OPENINGS)} {dice.choice(TOPICS[n % 3])}, {dice.choice('abcdefgh') * 4}.")
        for n in range(items)
    ]


def sample(packed: list[bytes], **fields: Any) -> Sample:
    n = len(packed)
    fixed: dict[str, Any] = {"attributes": [{}] * n, "conducts": [None] * n, "errors": [None] * n}
    return Sample(packed, **{**fixed, **fields})


def found_in(packed: list[bytes], **config: Any) -> list[Category]:
    return categorize(sample(packed), JobConfig(**config)).categories


def members(categories: list[Category]) -> list[int]:
    return sorted(member for category in categories for leaf in category.leaves for member in leaf.members)


def leaves(categories: list[Category]) -> int:
    return sum(len(category.leaves) for category in categories)


EMPTY = features("")
KINDS: dict[str, list[bytes]] = {
    "1": talk(1),
    "2": talk(2),
    "5": talk(5),
    "7": talk(7),
    "8": talk(8),
    "30": talk(30),
    "100 identical": [features("Refund my money")] * 100,
    "30 without words": [EMPTY] * 30,
    "one without words": [EMPTY],
    "100, one without words": [EMPTY, *talk(99)],
    "stop words only": [features("the and of")] * 9,
    "signs only": [features(sign * 9) for sign in "!?#*&%$-+=" for _ in range(3)],
    "two languages": [*talk(40), *[features(f"Где мой заказ номер {n}, пожалуйста?") for n in range(20)]],
    "more words than dimensions": [
        features(f"word{chr(97 + n % 26)} {chr(97 + n // 26) * 5} refund") for n in range(200)
    ],
}
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "hierarchy": {"hierarchy": (5, 2)},
    "given": {"partitions": {"Refunds": "money back", "Nobody": "zebras"}},
    "no limit": {"max_leaves": 0},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("items", KINDS.values(), ids=KINDS)
def test_every_item_lies_in_exactly_one_leaf_whatever_it_says(items: list[bytes], config: dict[str, Any]) -> None:
    found = found_in(items, **config)
    assert members(found) == list(range(len(items)))
    for category in found:
        assert category.name
        assert category.description
        for leaf in category.leaves:
            assert len(leaf.confidence) == len(leaf.members) > 0
            assert all(0 <= sure <= 1 for sure in leaf.confidence)
            assert leaf.name
            assert leaf.description


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_same_items_and_seed_give_the_same_places(config: dict[str, Any]) -> None:
    assert found_in(talk(120), **config) == found_in(talk(120), **config)


def test_items_of_one_topic_lie_together() -> None:
    """Mostly: words alone see less than vectors do."""
    found = found_in(talk(90), hierarchy=(3, 3))
    place = {member: at for at, category in enumerate(found) for member in members([category])}
    topics = [member % 3 for member in range(90)]
    assert adjusted_rand_score(topics, [place[member] for member in range(90)]) > 0.5


def test_few_items_are_a_list_and_not_ten_categories() -> None:
    for items in (1, 2, FEW - 1):
        assert leaves(found_in(talk(items))) == 1
    assert leaves(found_in(talk(40))) > 1


def test_items_that_are_alike_are_not_torn_apart() -> None:
    found = found_in([features("Refund my money")] * 50 + [features("Find the lost parcel")] * 50, hierarchy=(9, None))
    assert leaves(found) == 2


@pytest.mark.parametrize(
    ("hierarchy", "expected"), [((5, 2), (5, 2)), ((4, 4), (4, 4)), ((6, 1), (6, 1)), ((1, 1), (1, 1))]
)
def test_the_hierarchy_is_leaves_then_top(hierarchy: tuple[int, int], expected: tuple[int, int]) -> None:
    found = found_in(talk(200), hierarchy=hierarchy)
    assert (leaves(found), len(found)) == expected


def test_automatic_leaves_stay_below_the_limit() -> None:
    assert leaves(found_in(talk(300), max_leaves=4)) <= 4
    assert leaves(found_in(talk(300), max_leaves=0)) > 4


def test_large_categories_come_first() -> None:
    found = found_in(talk(90) + [features("Refund the money to my card")] * 60, hierarchy=(6, 3))
    sizes = [category.size for category in found]
    assert sizes == sorted(sizes, reverse=True)


def test_the_most_typical_items_of_a_leaf_come_first() -> None:
    for category in found_in(talk(120)):
        for leaf in category.leaves:
            assert leaf.confidence == sorted(leaf.confidence, reverse=True)


def test_given_categories_keep_their_order_and_their_descriptions() -> None:
    """One that nothing fits stays, empty, since the user asked for it."""
    config = {"partitions": {"Zebras": "stripes and hooves", "Refunds": "refund the money", "Parcels": "lost parcel"}}
    found = [category for category in found_in(talk(60), **config) if category.name != NONE_OF_THESE]
    assert [category.name for category in found] == ["Zebras", "Refunds", "Parcels"]
    assert found[0].leaves == []
    assert [category.description for category in found] == list(config["partitions"].values())
    assert sum(m % 3 == 0 for m in members([found[1]])) > 15
    assert sum(m % 3 == 1 for m in members([found[2]])) > 15


def test_where_everything_fits_there_is_no_none_of_these() -> None:
    assert [one.name for one in found_in([features("refund please")] * 3, partitions={"Refund": ""})] == ["Refund"]


def test_features_of_another_version_are_refused() -> None:
    with pytest.raises(ItemError, match="version b'w9' are not known"):
        categorize(sample([b"w9" + Features().pack(), Features().pack()]), JobConfig())


def test_what_was_found_says_how_it_was_made_and_in_which_languages_people_spoke() -> None:
    trust = categorize(sample(KINDS["two languages"]), JobConfig()).trust
    assert trust["vectors"] == "tfidf"
    assert trust["languages"]["ru"] >= 15
    assert sum(trust["languages"].values()) == trust["items_looked_at"] == 60
    assert set(trust["stability"]) == {"leaves", "top"}
    assert all(-1 <= agreed <= 1 for agreed in trust["stability"].values())


def test_effort_ranks_the_items_and_is_unknown_where_nothing_was_counted() -> None:
    conducts = [Conduct(messages=n, user_turns=1) if n else None for n in range(9)]
    effort = categorize(sample(talk(9), conducts=conducts), JobConfig()).effort
    known = [rank for rank in effort[1:] if rank is not None]
    assert effort[0] is None
    assert len(known) == 8
    assert known == sorted(known)


def test_a_sample_keeps_what_the_engine_needs_of_an_item() -> None:
    whole = Sample()
    whole.add(item("a", features=b"f", attributes={"x": True}))
    assert (len(whole), whole.features, whole.attributes, whole.conducts) == (1, [b"f"], [{"x": True}], [None])


def leaf(*at: int, name: str = "Refund an order") -> Leaf:
    return Leaf(name, f"People ask to {name}.", list(at), [0.5] * len(at))


TREE = Found(
    [
        Category("Money", "About money.", [leaf(0, 3), leaf(1), leaf(4, name="Pay a bill")]),
        Category("Money", "More of it.", [leaf(2)]),
        Category("Nobody", "Nobody asks for it.", []),
    ],
    unusual=[3],
    effort=[None, 0.1, 0.2, 0.3, 0.4],
)
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


def test_siblings_never_share_a_name() -> None:
    clusters, _ = build(job(), IDS, TREE)
    for parent in {cluster.parent_id for cluster in clusters}:
        names = [cluster.name for cluster in clusters if cluster.parent_id == parent]
        assert len(set(names)) == len(names)


def test_an_assignment_says_whether_the_item_is_odd_and_its_effort() -> None:
    found = {one.item_id: one for one in build(job(), IDS, TREE)[1]}
    assert [item_id for item_id, one in found.items() if one.unusual] == ["d"]
    assert [found[item_id].effort for item_id in IDS] == TREE.effort


def test_every_cluster_has_a_description_and_a_given_one_is_kept() -> None:
    clusters, _ = build(job(), IDS, TREE)
    assert clusters[0].description == "About money."
    assert all(cluster.description for cluster in clusters)
