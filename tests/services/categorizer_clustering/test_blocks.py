"""Items become unit vectors: each block says what it should, and what is unknown does not count."""

import numpy as np
import pytest

from services.categorizer.blocks import tool_block, unseen, vectors, word_block
from services.categorizer.clustering.sphere import unit
from shared.features import Features
from tests.services.categorizer_clustering.planted import unlike


def item(vector: int | None = 0, gist: int | None = None, **fields: object) -> Features:
    rows = unlike(10, 16)
    return Features(
        encoder="test",
        request_vector=None if vector is None else rows[vector],
        gist_vector=None if gist is None else rows[gist],
        **fields,  # type: ignore[arg-type]
    )


def test_a_cosine_is_the_weighted_mean_of_the_blocks_cosines() -> None:
    items = [item(0, 1, request="a" * 100, length=1_000), item(2, 1, request="a" * 100, length=1_000)]
    rows = unlike(10, 16)
    beyond = 0.9

    cosine = vectors(items)[0] @ vectors(items)[1]

    assert cosine == pytest.approx((rows[0] @ rows[2] + 0.25 * beyond) / (1 + 0.25 * beyond), abs=1e-5)


def test_of_a_text_that_its_vector_has_seen_whole_only_the_vector_counts() -> None:
    items = [item(n, n + 1, request="a" * 300, length=300, words={"a": n + 1, "b": 1}) for n in range(4)]

    assert np.allclose(vectors(items) @ vectors(items).T, unlike(10, 16)[:4] @ unlike(10, 16)[:4].T, atol=1e-5)


def test_the_unseen_share_is_the_mean_over_items() -> None:
    seen, half = Features(request="a" * 100, length=100), Features(request="a" * 900, length=1_000)

    assert unseen([seen, half]) == pytest.approx(0.25)
    assert unseen([Features()]) == 0
    assert unseen([Features(request="cleaned of nothing", length=3)]) == 0


def test_items_with_the_same_tools_are_alike_whatever_how_often_they_called_them() -> None:
    book, cancel = ("search", "search", "book"), ("search", "cancel")
    rows = tool_block([book, ("search", "book"), book, cancel, cancel, cancel, ()])

    assert np.allclose(rows[0], rows[1], atol=1e-5)
    assert rows[0] @ rows[3] < 0.5
    assert not rows[6].any()


def test_a_tool_that_all_or_hardly_any_use_tells_nothing() -> None:
    assert tool_block([("think",)] * 20).shape == (20, 0)
    assert tool_block([(f"tool_{n}",) for n in range(20)]).shape == (20, 0)


def test_items_that_say_the_same_words_are_alike() -> None:
    about = [{"flight": 3, "seat": 1, "please": 1}, {"invoice": 2, "refund": 4, "please": 1}]
    rows = word_block([about[n % 2] for n in range(40)])

    assert rows.shape[1] <= 20
    assert rows[0] @ rows[2] > 0.99
    assert rows[0] @ rows[1] < 0.1


def test_where_a_vector_is_missing_the_words_of_the_requests_take_their_place() -> None:
    texts = ["cancel my flight", "refund this invoice"]
    items = [Features(request=texts[n % 2], length=20, encoder="test" if n else "") for n in range(30)]

    rows = vectors(items)

    assert rows[0] @ rows[2] > 0.99
    assert rows[0] @ rows[1] < 0.5


def test_given_vectors_of_words_stand_for_the_first_two_blocks() -> None:
    words = unlike(10, 16)
    items = [item(n, request="a" * 40, length=40) for n in range(5)]

    rows = vectors(items, words[5:])

    assert np.allclose(rows @ rows.T, words[5:] @ words[5:].T, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 12])
def test_items_of_which_nothing_is_known_are_alike(n: int) -> None:
    rows = vectors([Features()] * n)

    assert rows.shape[0] == n
    assert np.allclose(rows @ rows.T, 1)


def test_unknown_items_are_unlike_known_ones() -> None:
    rows = vectors([item(0), item(1), item(None)])

    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert abs(rows[2] @ rows[:2].T).max() < 1e-6


def test_the_same_items_make_the_same_bytes() -> None:
    items = [
        item(n % 10, (n + 1) % 10, request="a" * 40, length=400, tools=(f"t{n % 3}", "x"), words={f"w{n % 7}": n + 1})
        for n in range(60)
    ]

    assert vectors(items).tobytes() == vectors(items).tobytes()
    assert vectors(items).dtype == unit(unlike(1)).dtype == np.float32
