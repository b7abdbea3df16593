"""Sentences say only what the figures bear, and are the same for the same input."""

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from services.aggregator.figures import Table
from services.aggregator.findings import Findings, findings
from services.aggregator.highlights import Candidate, Shortlist
from shared.models import NONE_OF_THESE, Cluster, Facts
from shared.wording import money, number, percent, seconds


def figures(items: Sequence[Facts]) -> dict[str, Any]:
    """Of all these items."""
    table = Table()
    for one in items:
        table.add(("leaf",), one)
    return table.whole()


def facts(count: int, errors: int = 0, latency: float | None = 1.0, cost: float | None = 0.01) -> list[Facts]:
    return [Facts(error=n < errors, latency=latency, total_cost=cost) for n in range(count)]


class Sample:
    """Top categories with one subcategory each, by name."""

    def __init__(self, **groups: Sequence[Facts]) -> None:
        self.groups = {name.replace("_", " "): list(items) for name, items in groups.items()}

    def clusters(self) -> list[Cluster]:
        found = []
        for name, items in self.groups.items():
            stats = figures(items)
            top = Cluster(id=f"top {name}", level=1, name=name, description="", num_runs=len(items), stats=stats)
            leaf = top.model_copy(
                update={"id": f"leaf {name}", "level": 0, "parent_id": top.id, "name": f"{name} leaf"}
            )
            found += [top, leaf]
        return found

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(f"{name} {n:03}", f"leaf {name}", one, f"summary {n}")
            for name, items in self.groups.items()
            for n, one in enumerate(items)
        ]

    def findings(self) -> Findings:
        whole = figures([one for items in self.groups.values() for one in items])
        return findings(self.clusters(), whole, self.candidates())

    def point(self, word: str) -> str:
        return next((point for point in self.findings().key_points if word in point), "")


def test_the_largest_category_is_named_with_its_share() -> None:
    sample = Sample(Refund_of_an_order=facts(120), Delivery=facts(100), Invoices=facts(68))
    assert sample.findings().key_points[0] == "Largest category: Refund of an order, 120 of 288 traces (42 %)."
    assert sample.findings().title == "288 traces in 3 categories, most in: Refund of an order"


def test_none_of_these_is_never_called_the_largest_category() -> None:
    found = Sample(**{NONE_OF_THESE: facts(50), "Refunds": facts(40)}).findings()
    assert found.key_points[0] == "Largest category: Refunds, 40 of 90 traces (44 %)."
    assert found.title == "90 traces in 1 category: Refunds"


def test_a_tie_is_told_as_a_tie() -> None:
    assert "One of the largest" in Sample(B=facts(10), A=facts(10)).findings().key_points[0]


def test_a_category_that_clearly_fails_more_is_named_with_both_rates() -> None:
    sample = Sample(Refunds=facts(100, errors=30), Delivery=facts(100, errors=2), Invoices=facts(88, errors=3))
    assert sample.point("Fails most").startswith(
        "Fails most: Refunds, 30 of 100 traces ended in an error (30 %), against 5 of 188 in the rest (3 %)"
    )


def test_a_difference_that_chance_explains_is_not_told() -> None:
    """1 of 10 against 0 of 10 proves nothing."""
    sample = Sample(Refunds=facts(10, errors=1), Delivery=facts(10), Invoices=facts(10))
    assert sample.point("Fails most") == ""
    assert "no category clearly fails more" in sample.point("ended in an error")


def test_looking_at_many_categories_does_not_make_chance_a_finding() -> None:
    """6 of 20 where 2 of 20 is usual has p < 0.05 for one category, and is nothing among thirty."""
    groups = {f"Category {n:02}": facts(20, errors=2) for n in range(29)}
    alone = Sample(One=facts(20, errors=6), Rest=facts(580, errors=58))
    among = Sample(One=facts(20, errors=6), **groups)
    assert "Fails most: One" in alone.point("Fails most")
    assert among.point("Fails most") == ""


def test_fewer_than_five_known_are_not_compared() -> None:
    sample = Sample(Tiny=facts(4, errors=4), Delivery=facts(500))
    assert sample.point("Fails most") == ""


def test_unknown_errors_are_said_to_be_unknown() -> None:
    sample = Sample(A=[Facts()] * 10, B=[Facts()] * 5)
    assert sample.findings().key_points[1] == "Whether a trace ended in an error is not known."


def test_slow_and_dear_are_told_only_where_they_stand_out() -> None:
    even = Sample(A=facts(30), B=facts(30, latency=1.2, cost=0.012))
    assert even.point("Slowest") == even.point("Dearest") == ""
    uneven = Sample(A=facts(30), B=facts(20, latency=8, cost=0.09))
    assert uneven.point("Slowest").startswith("Slowest: B, half of its traces take 8.0 s or more (1.0 s over all")
    assert "half of its traces cost $0.09 or more ($0.01 over all traces), together 86 %" in uneven.point("Dearest")


def test_unknown_latency_and_cost_give_no_sentence() -> None:
    sample = Sample(A=facts(30, latency=None, cost=None), B=facts(30, latency=None, cost=None))
    assert sample.point("Slowest") == sample.point("Dearest") == ""


def test_references_point_at_highlighted_traces_of_that_category() -> None:
    found = Sample(A=facts(50), B=facts(20, errors=12, latency=9.0, cost=0.3)).findings()
    ranks = {one.rank: one for one in found.highlighted_traces}
    referred = [int(rank) for point in found.key_points for rank in re.findall(r"#(\d+)", point)]
    assert referred
    assert all(ranks[rank].cluster_name == "B leaf" for rank in referred)
    assert any("#1" in point for point in found.key_points if "Fails most" in point)


def test_at_most_ten_traces_are_highlighted_each_once_ranked_from_one_with_a_reason() -> None:
    spread = [Facts(error=n % 2 == 0, latency=float(n), total_cost=n / 10) for n in range(60)]
    traces = Sample(A=spread, B=spread).findings().highlighted_traces
    assert len(traces) == 10
    assert [one.rank for one in traces] == list(range(1, 11))
    assert len({one.run_id for one in traces}) == 10
    assert all(one.highlight_reason for one in traces)


def test_traces_that_are_like_the_others_are_not_highlighted() -> None:
    assert Sample(A=facts(30), B=facts(30)).findings().highlighted_traces == ()


def test_without_a_failing_category_errors_come_from_each_category_in_turn() -> None:
    traces = Sample(A=facts(40, errors=4), B=facts(40, errors=4)).findings().highlighted_traces
    assert [one.cluster_name for one in traces] == ["A leaf", "B leaf", "A leaf", "B leaf"]


def test_at_most_five_key_points_and_none_of_these_is_one_of_them() -> None:
    sample = Sample(**{"A": facts(50), "B": facts(20, errors=12, latency=9, cost=0.3), NONE_OF_THESE: facts(30)})
    assert len(sample.findings().key_points) == 5
    assert sample.findings().key_points[4] == "30 of 100 traces (30 %) fit none of the categories."


def with_difference(cluster: Cluster, effect: float, *texts: str) -> Cluster:
    differences = [{"effect": effect, "text": text} for text in texts]
    return cluster.model_copy(update={"stats": {**cluster.stats, "differences": differences}})


def test_the_category_that_differs_most_is_named_with_three_differences_if_there_is_room() -> None:
    sample = Sample(A=facts(50), B=facts(40), C=facts(30))
    apart = {"top A": (0.5, ("effort 10 of 100 (rest 50)",)), "top B": (-0.9, ("a", "b", "c", "d"))}
    clusters = [
        with_difference(one, apart[one.id][0], *apart[one.id][1]) if one.id in apart else one
        for one in sample.clusters()
    ]
    whole = figures([one for items in sample.groups.values() for one in items])
    assert findings(clusters, whole, []).key_points[-1] == "Most unlike the rest is B: a, b, c."
    full = Sample(**{"A": facts(50), "B": facts(20, errors=12, latency=9, cost=0.3), NONE_OF_THESE: facts(30)})
    told = findings(
        [with_difference(one, 2, "x") for one in full.clusters()],
        figures([one for items in full.groups.values() for one in items]),
        [],
    )
    assert len(told.key_points) == 5
    assert not any("unlike" in point for point in told.key_points)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_input_changes_nothing(seed: int) -> None:
    sample = Sample(A=facts(20, errors=5), B=facts(20, errors=5, latency=9), C=facts(20, latency=9, cost=0.5))
    clusters, candidates = sample.clusters(), sample.candidates()
    whole = figures([one for items in sample.groups.values() for one in items])
    random.Random(seed).shuffle(clusters)
    random.Random(seed).shuffle(candidates)
    assert findings(clusters, whole, candidates) == sample.findings()


def test_a_shortlist_of_a_large_sample_gives_the_same_traces() -> None:
    shuffler = random.Random(3)
    spread = [
        Facts(error=shuffler.random() < 0.2, latency=shuffler.random() ** 4, total_cost=0.1) for _ in range(3_000)
    ]
    sample = Sample(A=spread[:2_000], B=spread[2_000:])
    shortlist = Shortlist()
    everyone = sample.candidates()
    shuffler.shuffle(everyone)
    for one in everyone:
        shortlist.add(one)
    assert len(shortlist.candidates()) < 400
    assert findings(sample.clusters(), figures(spread), shortlist.candidates()) == sample.findings()


def test_no_categories_and_no_items_still_give_findings() -> None:
    found = findings([], figures([]), [])
    assert found.title == "0 traces"
    assert found.highlighted_traces == ()
    assert findings([], figures(facts(1)), [], unit="thread").title == "1 thread"


def test_a_category_of_one_level_stands_at_the_top() -> None:
    leaf = Cluster(id="l", level=0, name="Refunds", description="", num_runs=9, stats=figures(facts(9)))
    assert findings([leaf], figures(facts(9)), []).key_points[0] == "The only category: Refunds, 9 traces."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.4167), "42 %"),
        (percent(0.001), "<1 %"),
        (percent(0.999), ">99 %"),
        (percent(0), "0 %"),
        (percent(1), "100 %"),
        (seconds(0), "0 ms"),
        (seconds(0.0000001), "<1 ms"),
        (seconds(0.04), "40 ms"),
        (seconds(0.9999), "1.0 s"),
        (seconds(4.06), "4.1 s"),
        (seconds(99.97), "100 s"),
        (seconds(900), "15 min"),
        (seconds(12_600), "3.5 h"),
        (number(3.0), "3"),
        (number(-2), "-2"),
        (number(2.54), "2.5"),
        (number(0.0412), "0.041"),
        (number(1_234.5), "1,234"),
        (number(1e-7), "1e-07"),
        (money(0), "$0.00"),
        (money(0.5), "$0.50"),
        (money(0.0996), "$0.10"),
        (money(0.01234), "$0.012"),
        (money(0.00002), "$0.00002"),
        (money(1e-9), "<$0.000001"),
        (money(12_345.6), "$12,346"),
    ],
)
def test_figures_read_well_and_are_never_rounded_to_nothing(text: str, expected: str) -> None:
    assert text == expected
