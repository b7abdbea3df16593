"""A phrase holds for a text that is about as close to it as to any other, and for no text that is far from all."""

import numpy as np
from numpy.typing import NDArray

from services.categorizer.naming.truth import APART, LEAST, floor, holds, holds_broadly

Vectors = NDArray[np.float32]
NOTHING: Vectors = np.zeros((0, 3), np.float32)


def at(*degrees: float) -> Vectors:
    """Unit rows in a plane, so that a cosine is that of the difference."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles), np.zeros(len(degrees))], axis=1).astype(np.float32)


def test_the_closest_phrase_holds_and_one_a_little_behind_but_none_far_behind() -> None:
    behind = float(np.degrees(np.arccos(1 - APART)))
    held = holds(at(0), at(0, behind - 1, behind + 1), NOTHING, LEAST)
    assert held.tolist() == [[True, True, False]]


def test_a_closer_phrase_of_the_list_takes_the_text_away() -> None:
    assert holds(at(0), at(50), NOTHING, LEAST).tolist() == [[True]]
    assert holds(at(0), at(50), at(10), LEAST).tolist() == [[False]]


def test_no_phrase_holds_for_a_text_that_is_far_from_all() -> None:
    assert not holds(at(0), at(85, 90), NOTHING, LEAST).any()


def test_a_general_phrase_holds_where_its_closest_relative_is_the_texts_closest() -> None:
    listed = at(20, 120)
    assert holds_broadly(at(0, 100), at(60), listed, LEAST).tolist() == [[True], [False]]
    assert not holds_broadly(at(0), at(60), NOTHING, LEAST).any()


def test_long_texts_that_are_far_from_every_phrase_have_a_lower_floor() -> None:
    near, far = floor(at(0, 5), at(0)), floor(at(60, 65), at(0))
    assert LEAST <= far < near < 1
    assert floor(at(0), NOTHING) == LEAST
