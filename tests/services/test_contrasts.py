"""A difference is told where it is beyond chance and matters, and hardly ever where there is none."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from services.aggregator.columns import Column, Group
from services.aggregator.contrasts import MUCH, Contrast, Shares, clear, of_numbers, of_shares
from services.aggregator.differences import differences
from services.aggregator.figures import Table
from shared.models import Cluster, Conduct, Facts


def numbers(here: Sequence[float], rest: Sequence[float]) -> list[Contrast]:
    column = Column()
    for place, values in enumerate((here, rest)):
        for value in values:
            column.add(place, value, lowest=-100)
    groups = (Group(np.array([place == 0, place == 1]), 0) for place in (0, 1))
    return list(of_numbers("facts", "x", column, *groups))


def told(contrasts: Sequence[Contrast], others: int = 0) -> list[Contrast]:
    """What is told of them where so many other comparisons were made."""
    dull = list(of_shares("facts", "dull", Shares(50, 100, 50, 100))) * others
    return clear({"one": contrasts, "others": dull})["one"]


def shares(*counts: int) -> list[Contrast]:
    return list(of_shares("facts", "x", Shares(*counts)))


def test_a_share_that_is_clearly_greater_is_told_with_both() -> None:
    (found,) = told(shares(34, 100, 36, 300))
    assert (found.kind, found.here, found.rest) == ("share", 0.34, 0.12)
    assert found.effect == pytest.approx(0.5376, abs=0.0001), "Cohen's h"


def test_less_than_the_rest_is_told_too_and_its_effect_is_negative() -> None:
    (found,) = told(shares(0, 100, 90, 300))
    assert found.effect < -MUCH


def test_a_small_difference_is_not_told_however_sure_it_is() -> None:
    (found,) = shares(52_000, 100_000, 45_000, 100_000)
    assert found.chance < 1e-100
    assert told([found]) == []


def test_a_great_difference_is_not_told_where_chance_explains_it() -> None:
    assert told(shares(3, 6, 1, 6)) == []


def test_what_is_sure_alone_is_not_sure_among_many() -> None:
    found = shares(14, 40, 26, 200)
    assert told(found)
    assert told(found, others=300) == []


@pytest.mark.parametrize("counts", [(4, 4, 0, 100), (5, 5, 0, 4), (0, 0, 0, 0)])
def test_fewer_than_five_known_are_not_compared(counts: tuple[int, int, int, int]) -> None:
    assert shares(*counts) == []
    assert numbers([1.0] * counts[1], [2.0] * counts[3]) == []


@pytest.mark.parametrize("seed", range(10))
def test_the_chance_of_numbers_is_mann_and_whitneys(seed: int) -> None:
    shuffler = random.Random(seed)
    here = [shuffler.randint(1, 6 + seed) + 0.5 * (seed % 2) for _ in range(30)]
    rest = [shuffler.randint(1, 9) for _ in range(80)]
    (found,) = numbers(here, rest)
    expected = mannwhitneyu(here, rest, method="asymptotic", use_continuity=False)
    assert found.chance == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.effect > 0) == (expected.statistic > len(here) * len(rest) / 2)


def test_the_effect_on_numbers_is_how_many_deviations_two_normal_groups_lie_apart() -> None:
    shuffler = random.Random(1)
    (found,) = numbers(
        [10 + shuffler.gauss(0.8, 1) for _ in range(4_000)], [10 + shuffler.gauss(0, 1) for _ in range(4_000)]
    )
    assert found.effect == pytest.approx(0.8, abs=0.05)


def test_equal_numbers_do_not_differ_and_groups_wholly_apart_have_a_finite_effect() -> None:
    (equal,) = numbers([3.0] * 10, [3.0] * 30)
    assert (equal.effect, equal.chance) == (0, 1)
    (apart,) = numbers([9.0] * 10, [float(n % 3 + 1) for n in range(30)])
    assert MUCH < apart.effect < 10


def test_numbers_that_are_mostly_nought_are_told_by_the_share_of_the_others() -> None:
    (found,) = told(numbers([0.0] * 60 + [2.0] * 40, [0.0] * 290 + [1.0] * 10))
    assert (found.kind, found.here, found.rest) == ("share", 0.4, 1 / 30)


def test_numbers_are_told_by_their_medians_or_else_by_their_means() -> None:
    (medians,) = numbers([4.0] * 9 + [1.0], [2.0] * 30)
    assert (medians.kind, medians.here, medians.rest) == ("median", 4, 2)
    (means,) = numbers([2.0] * 6 + [4.0] * 4, [2.0] * 30)
    assert (means.kind, means.here, means.rest) == ("mean", 2.8, 2)


def test_medians_that_look_alike_to_a_reader_are_not_told_however_far_apart_in_rank() -> None:
    (found,) = numbers([0.51 + n / 10_000 for n in range(50)], [0.48 + n / 10_000 for n in range(50)])
    assert found.effect > 1
    assert told([found]) == []


def table(groups: dict[str, list[Conduct]]) -> tuple[list[Cluster], Table]:
    found = Table()
    for name, conducts in groups.items():
        for one in conducts:
            found.add((name,), Facts(conduct=one), effort=0.1 * one.tool_calls)
    clusters = [
        Cluster(id=name, level=1, name=name, description="", num_runs=len(conducts))
        for name, conducts in groups.items()
    ]
    return clusters, found


def test_differences_are_sentences_of_each_category_the_greatest_first() -> None:
    troubled = [Conduct(tool_calls=7, tool_errors=n % 3, user_turns=2) for n in range(60)]
    usual = [Conduct(tool_calls=n % 3, tool_errors=int(n % 20 == 0), user_turns=2) for n in range(200)]
    found = differences(*table({"troubled": troubled, "usual": usual}))
    assert [one["text"] for one in found["troubled"]] == [
        "effort 70 of 100 (rest 10)",
        "tool calls 7 (rest 1)",
        "a tool failed 67 % (rest 5 %)",
    ]
    assert [one["name"] for one in found["usual"]] == ["effort", "tool_calls", "tool_errors"]
    assert all(one["effect"] < 0 for one in found["usual"])


def test_the_only_category_differs_from_nothing_and_so_do_a_handful_of_traces() -> None:
    conducts = [Conduct(tool_errors=n % 2) for n in range(30)]
    assert differences(*table({"all": conducts})) == {"all": []}
    few = {"a": [Conduct(handed_over=True)] * 3, "b": [Conduct()] * 4}
    assert differences(*table(few)) == {"a": [], "b": []}


def test_of_the_values_of_one_attribute_the_one_that_differs_most_is_told() -> None:
    found = told(
        [
            *of_shares("attributes", "topic", Shares(60, 100, 60, 300), "billing"),
            *of_shares("attributes", "topic", Shares(10, 100, 150, 300), "login"),
        ]
    )
    assert [one.value for one in found] == ["login"]


def test_in_reports_of_categories_that_are_alike_hardly_anything_is_told() -> None:
    """At most one report in twenty may say something; each has 10 categories with 9 facts to go wrong in."""
    shuffler = random.Random(5)
    wrong = 0
    for _ in range(40):
        groups = {
            f"c{n}": [
                Conduct(
                    user_turns=1 + int(shuffler.expovariate(1)),
                    tool_calls=shuffler.randint(0, 6),
                    tool_errors=int(shuffler.random() < 0.1),
                    handed_over=shuffler.random() < 0.3,
                    refusal=shuffler.random() < 0.1,
                )
                for _ in range(12 + 6 * n)
            ]
            for n in range(10)
        }
        wrong += any(differences(*table(groups)).values())
    assert wrong <= 4
