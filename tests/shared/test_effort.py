"""The effort of an item is its place among all, by what repeats, lasts and fails."""

import pytest
from scipy.stats import rankdata

from shared.effort import effort
from shared.models import Conduct

EASY = Conduct(messages=2, answer_length=20)
HARD = Conduct(messages=9, answer_length=900, repeated_calls=2, tool_errors=3, last_result_error=True)


def test_who_laboured_more_has_the_higher_rank() -> None:
    easy, middle, hard = effort([EASY, EASY.model_copy(update={"messages": 3}), HARD], [False, False, False])
    assert easy is not None
    assert middle is not None
    assert hard is not None
    assert 0 < easy < middle < hard < 1


def test_ties_get_the_middle_of_their_places() -> None:
    conducts = [EASY.model_copy(update={"messages": n}) for n in (5, 2, 5, 2, 2, 9)]
    ranks = rankdata([5, 2, 5, 2, 2, 9])
    assert effort(conducts, [False] * 6) == pytest.approx([((rank - 0.5) / 6 + 7 * 0.5) / 8 for rank in ranks])


def test_an_error_of_the_run_is_effort() -> None:
    calm, failed = effort([EASY, EASY], [False, True])
    assert (calm, failed) == pytest.approx((0.5 - 0.25 / 8, 0.5 + 0.25 / 8))


def test_the_order_of_the_items_does_not_matter() -> None:
    conducts = [EASY, HARD, EASY, HARD.model_copy(update={"tool_errors": 1})]
    errors = [False, True, None, False]
    assert effort(conducts[::-1], errors[::-1]) == effort(conducts, errors)[::-1]


def test_an_item_without_facts_has_no_rank_and_takes_none() -> None:
    assert effort([EASY, None, HARD], [None, None, None])[1] is None
    assert effort([EASY, None, HARD], [None] * 3)[::2] == effort([EASY, HARD], [None] * 2)


@pytest.mark.parametrize("conducts", [[], [None, None], [EASY], [EASY, EASY, EASY]])
def test_where_all_are_alike_nobody_is_ranked(conducts: list[Conduct | None]) -> None:
    assert effort(conducts, [False] * len(conducts)) == [None] * len(conducts)
