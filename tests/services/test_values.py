"""Open values: which spellings are one value, whatever the order, and what shows of it."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from services.categorizer import values
from services.categorizer.clustering.sphere import Array
from shared.job_config import AttributeSchema
from shared.values import Merged, canonical, load
from tests.services.words import words_of

OPEN = {"topic": AttributeSchema(type="string")}


def rows(*said: Any) -> list[dict[str, Any]]:
    return [{"topic": value} for value in said]


def all_alike(texts: Sequence[str]) -> Array:
    """Vectors that tell nothing apart."""
    return np.tile(np.array([[1.0, 0.0]], np.float32), (len(texts), 1))


def test_case_and_signs_make_no_other_value_and_the_most_frequent_spelling_stands_for_all() -> None:
    said = rows("Refund request", "refund-request", "refund_request", "refund_request", "late", None)
    found = values.merged(said, OPEN, None)["topic"]
    assert (found.spellings, found.values) == (4, 2)
    assert found.stands_for == {"Refund request": "refund_request", "refund-request": "refund_request"}


def test_vectors_find_what_means_the_same() -> None:
    said = rows("refund request please", "please refund request", "late parcel")
    found = values.merged(said, OPEN, words_of)["topic"]
    assert (found.spellings, found.values) == (3, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("iPhone 12", "iPhone 13"),
        ("satisfied", "not satisfied"),
        ("satisfied", "dissatisfied"),
        ("happiness", "unhappy"),
        ("block card", "unblock card"),
        ("complete", "incomplete"),
        ("increase limit", "decrease limit"),
        ("positive", "negative"),
        ("wired headphones", "wireless headphones"),
        ("C++", "C#"),
        ("x" * 81, "x" * 82),
    ],
)
def test_opposites_other_numbers_and_long_texts_stay_apart_however_alike(one: str, other: str) -> None:
    assert values.merged(rows(one, other), OPEN, all_alike) == {}


def test_an_opposite_in_a_group_keeps_the_whole_group_away() -> None:
    said = rows("happy", "glad", "cheerful", "joyful", "unhappy")
    stands_for = values.merged(said, OPEN, all_alike)["topic"].stands_for
    assert stands_for.get("unhappy", "unhappy") != stands_for.get("happy", "happy")


def test_the_order_of_items_does_not_matter() -> None:
    said = rows(*["refund", "Refund", "refunds please", "please refunds", "late", "LATE", "other"] * 3)
    mixed = random.Random(0).sample(said, len(said))
    assert values.merged(said, OPEN, words_of) == values.merged(mixed, OPEN, words_of)


def test_given_values_numbers_and_what_is_no_text_are_left_alone() -> None:
    schemas = {"topic": AttributeSchema(type="string", enum=("a", "A")), "n": AttributeSchema(type="number")}
    said = [{"topic": "a", "n": 1}, {"topic": "A", "n": 1.0}]
    assert values.merged(said, schemas, all_alike) == {}
    assert values.merged(rows(None, 3, ["a"]), OPEN, all_alike) == {}


def test_of_too_many_values_only_case_and_signs_are_looked_at() -> None:
    many = rows(*(f"v{'x' * n}" for n in range(values.MOST + 1)), "V")
    found = values.merged(many, OPEN, all_alike)["topic"]
    assert found.stands_for == {"v": "V"}


def test_what_is_stored_with_the_report_says_the_same_again() -> None:
    found = values.merged(rows("b", "B", "a c", "a-c", "a-c"), OPEN, None)
    dumped = found["topic"].dump()
    assert dumped == {
        "spellings": 4,
        "values": 2,
        "merged": [{"value": "B", "spellings": ["b"]}, {"value": "a-c", "spellings": ["a c"]}],
    }
    assert Merged.load(dumped) == found["topic"]
    assert load({"values": {"topic": dumped}}) == found
    assert load({}) == {}


def test_attributes_get_the_values_that_stand_for_theirs() -> None:
    found = values.merged(rows("b", "B", "B"), OPEN, None)
    assert canonical({"topic": "b", "n": 1}, found) == {"topic": "B", "n": 1}
    assert canonical({"topic": None}, found) == {"topic": None}
    assert canonical({"topic": ["b"]}, found) == {"topic": ["b"]}
