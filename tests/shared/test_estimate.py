"""What a budget pays follows from the estimate, and the stages after the items keep their share."""

from dataclasses import replace
from itertools import pairwise

import pytest

from shared.bill import NO_BILL, Bill, Line
from shared.budget import NAMING_SHARE
from shared.estimate import Estimate, evenly
from shared.models import FEW, Item


def estimate(items: int = 100, each: float | None = 0.01, fixed: float | None = 0.1) -> Estimate:
    """What comes after fewer than FEW items is nothing."""
    return Estimate(NO_BILL, items, items, each, lambda n: fixed if n >= FEW else 0.0, worst=None)


@pytest.mark.parametrize("budget", [0.0, 0.05, 0.12, 0.5, 0.9, 1.1, 1.18])
@pytest.mark.parametrize("fixed", [0.0, 0.1, 0.4])
def test_the_sample_that_fits_needs_no_more_than_the_budget_and_one_more_item_would(
    budget: float, fixed: float
) -> None:
    whole = estimate(fixed=fixed)
    fitting = whole.fitting(budget)
    assert whole.needed is not None
    assert (fitting is None) == (whole.needed <= budget)
    if fitting is not None:
        fits, over = (estimate(items=n, fixed=fixed).needed for n in (fitting, fitting + 1))
        assert over is not None
        assert over > budget
        assert fitting == 0 or (fits is not None and fits <= budget + 1e-9)


def test_the_stages_of_items_leave_the_others_their_share() -> None:
    assert estimate(fixed=0.0).needed == pytest.approx(1 / (1 - NAMING_SHARE))


def test_items_that_are_all_kept_cost_what_comes_after_them() -> None:
    kept = estimate(each=0.0)
    assert (kept.needed, kept.fitting(0.2), kept.fitting(0.05)) == (0.1, None, FEW - 1)


def test_a_sample_that_is_too_few_for_categories_may_fit() -> None:
    assert estimate(each=0.01, fixed=0.5).fitting(0.05) == 4
    assert estimate(each=0.01, fixed=0.5).fitting(0.01) == 0


def test_with_an_unknown_price_nobody_knows_what_a_budget_pays() -> None:
    assert estimate(each=None).needed is None
    assert estimate(fixed=None).fitting(5.0) is None


@pytest.mark.parametrize(("calls", "kept", "all_kept"), [(0, 9, True), (1, 9, False), (0, 0, False)])
def test_all_is_kept_where_no_summary_and_no_attribute_is_asked_for(calls: int, kept: int, all_kept: bool) -> None:
    lines = [
        Line("summaries", "m", calls, kept, 0, 0, 0.0),
        Line("vectors", "e", 9, 0, 0, 0, 0.1),
        Line("findings", "m", 3, 0, 0, 0, 0.1),
    ]
    assert replace(estimate(), bill=Bill(tuple(lines))).kept is all_kept


@pytest.mark.parametrize(("n", "most"), [(0, 3), (2, 3), (3, 3), (10, 3), (1_000, 400)])
def test_items_are_taken_evenly_and_none_twice(n: int, most: int) -> None:
    """Ids may be in the order of time, and what people ask changes with it."""
    items = [Item(workspace_id="w", job_id="j", id=f"{at:04}", run_ids=("r",)) for at in range(n)]
    taken = [int(one.id) for one in evenly(items, most)]
    assert len(set(taken)) == len(taken) == min(n, most)
    gaps = [later - sooner for sooner, later in pairwise(taken)]
    assert not gaps or max(gaps) - min(gaps) <= 1
