"""given.assign: items into the user's categories, or into none."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.categorizer import given, outside
from services.categorizer.clustering.sphere import Array, Labels, unit
from services.categorizer.draft import NOWHERE
from services.categorizer.given import assign, facet_texts
from tests.services.words import words_of

CATEGORIES = {"Billing": "invoices, refunds and payments", "Login": "passwords, accounts"}
BILLING = [f"the invoices and refunds of month {n}" for n in range(12)]
LOGIN = [f"passwords of accounts number {n}" for n in range(12)]


def places(texts: list[str], **examples: list[str]) -> Labels:
    return assign(words_of(texts), CATEGORIES, examples, words_of)


def test_items_go_to_the_category_that_they_are_like() -> None:
    assert places(BILLING + LOGIN).tolist() == [0] * 12 + [1] * 12


def test_the_order_of_the_items_changes_nothing() -> None:
    texts = BILLING + LOGIN
    order = np.random.default_rng(0).permutation(len(texts))
    assert places([texts[at] for at in order]).tolist() == places(texts)[order].tolist()


def test_an_example_teaches_words_that_the_description_has_not() -> None:
    odd = [f"the gizmo blinks again today {n}" for n in range(12)]
    assert set(places(BILLING + odd)[12:].tolist()) != {1}
    found = places(BILLING + odd, Login=["my gizmo blinks again", "the gizmo blinks today"])
    assert found.tolist() == [0] * 12 + [1] * 12


def test_an_item_that_fits_no_category_goes_to_none() -> None:
    odd = [f"weather forecast rain sunshine {n}" for n in range(12)]
    assert places(BILLING + odd).tolist() == [0] * 12 + [NOWHERE] * 12
    assert NOWHERE not in assign(words_of(BILLING + odd), CATEGORIES, {}, words_of, none=False)


def test_a_category_that_nothing_fits_stays_empty() -> None:
    assert set(places(BILLING).tolist()) == {0}


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_few_items_are_placed_as_many_are(n: int) -> None:
    assert places(LOGIN[:n]).tolist() == [1] * n


def test_identical_items_go_together() -> None:
    assert places([BILLING[0]] * 40).tolist() == [0] * 40


def test_no_items_and_no_categories_are_no_error() -> None:
    assert assign(np.empty((0, 8), np.float32), CATEGORIES, {}, words_of).tolist() == []
    assert assign(words_of(LOGIN), {}, {}, words_of).tolist() == [NOWHERE] * len(LOGIN)


def test_one_category_takes_what_fits_it_and_leaves_the_rest() -> None:
    odd = [f"weather forecast rain sunshine {n}" for n in range(12)]
    found = assign(words_of(LOGIN + odd), {"Login": "passwords, accounts"}, {}, words_of)
    assert found.tolist() == [0] * 12 + [NOWHERE] * 12


def test_among_many_items_those_that_are_like_no_other_go_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """They share a word with a category, and nothing with the items that lie in it."""
    monkeypatch.setattr(outside, "_CROWD", 20)
    rng = np.random.default_rng(0)
    narrow = rng.normal(size=(words_of(["a"]).shape[1], 256)).astype(np.float32)

    def embed(texts: Sequence[str]) -> Array:
        return unit(words_of(texts) @ narrow)

    lonely = ["invoices " + " ".join(_word(rng) for _ in range(12)) for _ in range(3)]
    texts = [f"the invoices and refunds of month {n % 7} {_word(rng)}" for n in range(60)]
    found = assign(embed(texts + lonely), CATEGORIES, {}, embed)
    assert found[60:].tolist() == [NOWHERE] * 3
    assert (found[:60] == 0).mean() > 0.9


def test_facets_are_name_description_both_and_each_part() -> None:
    assert facet_texts("Login", "") == ["Login"]
    assert facet_texts("A", "b, c and d.") == ["A", "b, c and d.", "A: b, c and d.", "b", "c", "d"]
    assert len(facet_texts("A", "b," * 2_000)) <= 23


def test_affinity_lies_between_the_mean_and_the_largest_cosine() -> None:
    facets = [words_of(["red", "green", "blue"])]
    x: Array = words_of(["red green", "red", "white"])
    cosines = x @ facets[0].T
    found = given.affinity(x, facets)[:, 0]
    assert (found <= cosines.max(axis=1) + 1e-6).all()
    assert (found >= cosines.mean(axis=1) - 1e-6).all()


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list("abcdefghijklmnop"), 8))
