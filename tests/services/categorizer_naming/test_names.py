"""Names of a tree: true, without ids, different among siblings, the same every time."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from services.categorizer.naming import category_phrases, name_leaves, name_tree
from services.categorizer.naming.choosing import stems
from shared.models import Conduct
from tests.services.categorizer_naming.texts import CANCEL, RETURN, WIDTH, WRITE, Array, embed, items

TWO_TOPS = np.array([0, 0, 1])


def test_leaves_are_called_what_people_ask_for() -> None:
    features, leaf, vectors = items(CANCEL, RETURN, WRITE)
    names = name_tree(features, leaf, TWO_TOPS, embed, vectors)
    cancel, give_back, write = (one.name for one in names.leaves)
    assert cancel.startswith("Cancel")
    assert "flight" in cancel
    assert "return" in give_back.lower()
    assert write == "Write a Python function"
    assert len(names.categories) == 2


def test_no_name_has_an_id_a_digit_or_an_address() -> None:
    features, leaf, vectors = items(CANCEL, RETURN, WRITE)
    names = name_tree(features, leaf, TWO_TOPS, embed, vectors)
    for named in (*names.leaves, *names.categories):
        assert not any(map(str.isdigit, named.name)), named.name
        assert not {"_", "@"} & set(named.name)
        assert not any(map(str.isdigit, named.description)), named.description
        assert "@" not in named.description


def test_siblings_differ_by_more_than_order_and_number() -> None:
    features, leaf, vectors = items(CANCEL[:3], CANCEL[3:], CANCEL[1:5], RETURN)
    names = name_tree(features, leaf, np.array([0, 0, 0, 0]), embed, vectors)
    keys = [stems(one.name) for one in names.leaves]
    assert len(set(keys)) == len(keys), [one.name for one in names.leaves]


def test_a_leaf_is_not_called_like_its_category() -> None:
    features, leaf, vectors = items(CANCEL, RETURN)
    leaves = name_leaves(features, leaf, np.array([0, 1]), ["Cancel a flight", "Other"], embed, vectors)
    assert stems(leaves[0].name) != stems("Cancel a flight")
    assert leaves[1].name.startswith("Return")


def test_order_of_arrival_does_not_matter() -> None:
    features, leaf, vectors = items(CANCEL, RETURN, WRITE)
    order = list(range(len(features)))
    random.Random(3).shuffle(order)
    shuffled = name_tree([features[i] for i in order], leaf[order], TWO_TOPS, embed, vectors[order])
    assert shuffled == name_tree(features, leaf, TWO_TOPS, embed, vectors)


def test_the_list_is_embedded_first_and_everything_else_once() -> None:
    calls: list[list[str]] = []

    def counted(texts: Sequence[str]) -> Array:
        calls.append(list(texts))
        return embed(texts)

    features, leaf, vectors = items(CANCEL, RETURN, WRITE)
    name_tree(features, leaf, TWO_TOPS, counted, vectors)
    assert calls[0] == list(category_phrases())
    assert len(calls) == 2
    assert len(calls[1]) < 90 * 5


def test_without_the_list_only_phrases_of_the_texts_are_names() -> None:
    features, leaf, vectors = items(CANCEL, RETURN, WRITE)
    names = name_tree(features, leaf, TWO_TOPS, embed, vectors, with_list=False)
    assert not {one.name for one in (*names.leaves, *names.categories)} & set(category_phrases())
    assert names.leaves[2].name == "Write a Python function"


def test_other_languages_are_named_by_their_language() -> None:
    russian, leaf, vectors = items(["отмените мой рейс", "верните деньги за рейс", "где мой багаж"], language="ru")
    assert name_tree(russian, leaf, np.array([0]), embed, vectors).leaves[0].name == "Requests in Russian"
    mixed = [*russian, *items(["annulla il volo"] * 2, language="it")[0]]
    leaf = np.zeros(5, dtype=int)
    vectors = embed([one.request for one in mixed])
    assert name_tree(mixed, leaf, np.array([0]), embed, vectors).leaves[0].name == "Requests in Russian"
    mixed[0] = mixed[1] = items(["où est mon vol"], language="fr")[0][0]
    assert name_tree(mixed, leaf, np.array([0]), embed, vectors).leaves[0].name == "Requests in other languages"


@pytest.mark.parametrize(
    "requests",
    [
        ["cancel my flight"],
        [""],
        ["", "", ""],
        ["???", "!!!", "\x00\x01"],
        ["refund"],
        ["yes", "no", "ok", "yes please"],
        ["cancel my flight"] * 12,
        ["\ud800\udfff bad \ud800", "cancel \udc00 my flight"],
        ["x" * 100_000, "cancel my flight " + "y" * 100_000],
        ["```\nno end", "``````", "{}[]" * 500],
    ],
)
def test_whatever_the_texts_are_there_is_a_name(requests: list[str]) -> None:
    features, leaf, vectors = items(requests)
    names = name_tree(features, leaf, np.array([0]), embed, vectors)
    assert names.leaves[0].name
    assert len(names.leaves[0].name) < 90
    assert len(names.leaves[0].description) < 600
    assert names.leaves[0].description.endswith((".", "\u201d"))


def test_a_leaf_without_items_has_a_name_too() -> None:
    features, leaf, vectors = items(CANCEL, RETURN)
    named = name_leaves(features, leaf * 2, np.array([0, 0, 1]), ["Flights", "Orders"], embed, vectors)
    assert len(named) == 3
    assert named[1].name == "Requests without text"


def test_no_items_no_names() -> None:
    nothing = np.zeros(0, dtype=int)
    names = name_tree([], nothing, nothing, embed, np.zeros((0, WIDTH), dtype=np.float32))
    assert names.leaves == names.categories == []


def test_texts_without_a_common_request_get_a_vague_name_each_its_own() -> None:
    odd = ["zzyx qwfp arst", "plugh xyzzy frotz"]
    features, leaf, vectors = items(odd, [word[::-1] for word in odd])
    names = [one.name for one in name_tree(features, leaf, np.array([0, 0]), embed, vectors).leaves]
    assert len(set(names)) == 2
    assert all(name.startswith(("Mixed", "Short", "Other")) for name in names), names


def test_a_name_of_a_person_or_place_is_not_in_a_name() -> None:
    people = [
        f"Please call {name} in Chicago about the invoice." for name in ("Amelia", "Noah", "Mia", "Yusuf", "Ivan")
    ]
    features, leaf, vectors = items(people, RETURN)
    name = name_tree(features, leaf, np.array([0, 1]), embed, vectors).leaves[0].name
    assert not {"Amelia", "Noah", "Mia", "Yusuf", "Ivan", "Chicago"} & {word.title() for word in name.split()}, name


def test_a_template_sentence_counts_once() -> None:
    template = "Select the best translation.\n"
    features, leaf, vectors = items([template + request for request in CANCEL], RETURN)
    assert "translation" not in name_tree(features, leaf, np.array([0, 1]), embed, vectors).leaves[0].name


def test_a_description_tells_how_it_ends_where_that_stands_out() -> None:
    features, leaf, vectors = items(CANCEL, RETURN)
    over, ended = Conduct(handed_over=True, refusal=False), Conduct(handed_over=False, refusal=False)
    names = name_tree(features, leaf, np.array([0, 1]), embed, vectors, [over] * 6 + [ended] * 6)
    assert "handed over" in names.leaves[0].description
    assert "handed over" not in names.leaves[1].description
    assert "refusal" not in names.leaves[0].description
