"""Figures are exact, streamed, and say nothing about what nobody knows."""

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.figures import DISTINCT, Tally, figures
from shared.models import Facts

NAN, INFINITY = float("nan"), float("inf")


def latencies(*values: float | None) -> list[Facts]:
    return [Facts(latency=value) for value in values]


def test_what_nobody_knows_is_none_with_an_n_of_zero() -> None:
    found = figures([Facts(), Facts()])
    assert found["run_count"] == 2
    for name in ("error_rate", "latency_p50", "latency_p95", "latency_p99", "total_tokens", "prompt_tokens"):
        assert found[name] is None, name
    for name in ("completion_tokens", "median_tokens", "total_cost", "cost_p50"):
        assert found[name] is None, name
    assert [found[name] for name in ("error_n", "latency_n", "tokens_n", "cost_n")] == [0, 0, 0, 0]
    assert found["feedback_stats"] == {}


def test_an_empty_group_has_no_figures_and_no_share_of_nothing() -> None:
    assert figures([], whole=0)["share"] is None
    assert figures([], whole=4)["share"] == 0
    assert figures([])["run_count"] == 0


def test_the_error_rate_is_over_the_items_whose_error_is_known() -> None:
    found = figures([Facts(error=True), Facts(error=False), Facts(error=False), Facts(error=None)])
    assert (found["error_rate"], found["error_n"]) == (1 / 3, 3)


def test_a_known_zero_is_zero_and_not_unknown() -> None:
    found = figures([Facts(error=False, latency=0.0, total_cost=0.0, total_tokens=0)])
    assert (found["error_rate"], found["latency_p50"], found["total_cost"], found["total_tokens"]) == (0, 0, 0, 0)
    assert found["cost_n"] == found["tokens_n"] == found["latency_n"] == 1


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_percentiles_are_those_of_linear_interpolation(values: list[float]) -> None:
    found = figures(latencies(*values))
    expected = [float(np.percentile(values, percent, method="linear")) for percent in (50, 95, 99)]
    assert [found["latency_p50"], found["latency_p95"], found["latency_p99"]] == expected


def test_money_is_summed_exactly() -> None:
    """0.1 added ten times is not 1.0 in floats."""
    assert figures([Facts(total_cost=0.1)] * 10)["total_cost"] == 1.0


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_nothing(shuffler: random.Random) -> None:
    items = [Facts(latency=0.1 * n, total_cost=0.1 / (n + 1), feedback={f"key {n % 3}": n / 7}) for n in range(20)]
    expected = json.dumps(figures(items))
    shuffler.shuffle(items)
    assert json.dumps(figures(items)) == expected


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY, -1.0, 1e300])
def test_what_cannot_be_measured_is_unknown(value: float) -> None:
    found = figures([Facts(latency=value, total_cost=value, feedback={"score": NAN}), Facts(latency=2, total_cost=3)])
    assert (found["latency_p50"], found["latency_n"]) == (2, 1)
    assert (found["total_cost"], found["cost_n"]) == (3, 1)
    assert found["feedback_stats"] == {}


def test_an_integer_of_any_size_does_not_stop_the_figures() -> None:
    found = figures([Facts(total_tokens=10**400), Facts(total_tokens=5)])
    assert (found["total_tokens"], found["tokens_n"]) == (5, 1)


def test_token_sums_are_whole_numbers_over_the_known() -> None:
    found = figures([Facts(total_tokens=10, prompt_tokens=7, completion_tokens=3), Facts(total_tokens=21), Facts()])
    assert (found["total_tokens"], found["prompt_tokens"], found["completion_tokens"]) == (31, 7, 3)
    assert isinstance(found["total_tokens"], int)
    assert (found["median_tokens"], found["tokens_n"]) == (15.5, 2)


def test_feedback_is_per_key_over_the_items_that_have_it() -> None:
    found = figures([Facts(feedback={"liked": 1, "stars": -2}), Facts(feedback={"liked": 0}), Facts()])
    assert found["feedback_stats"]["liked"] == {"n": 2, "avg": 0.5, "min": 0, "max": 1, "stdev": 0.5}
    assert found["feedback_stats"]["stars"]["avg"] == -2


def test_feedback_keys_from_clients_cannot_grow_the_report_without_end() -> None:
    items = [Facts(feedback={f"key {n:05}": 1.0, "liked": 1.0}) for n in range(3_000)]
    found = figures(items)["feedback_stats"]
    assert len(found) <= 100
    assert found["liked"]["n"] == 3_000


def test_attributes_have_a_table_of_their_values() -> None:
    values: list[dict[str, Any]] = [
        {"ok": True, "turns": 2},
        {"ok": False, "turns": 4},
        {"ok": True, "turns": None},
        {"topic": "refund"},
    ]
    found = figures([Facts()] * 4, values)["attributes"]
    assert found["ok"] == {"n": 3, "values": {"true": 2, "false": 1}, "distinct": 2}
    assert (found["turns"]["n"], found["turns"]["avg"], found["turns"]["p50"]) == (2, 3, 3)
    assert found["topic"] == {"n": 1, "values": {"refund": 1}, "distinct": 1}


def test_free_text_has_no_table_of_values() -> None:
    long = figures([Facts()], [{"said": "x" * 300}])["attributes"]["said"]
    many = figures([Facts()] * 2_000, [{"said": str(n)} for n in range(2 * DISTINCT)])["attributes"]["said"]
    assert long == {"n": 1, "values": None, "distinct": None}
    assert many == {"n": 2_000, "values": None, "distinct": None}


def test_facts_and_attributes_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"longer|shorter"):
        figures([Facts()], [])


def test_a_share_is_of_the_whole() -> None:
    assert figures([Facts()] * 3, whole=12)["share"] == 0.25
    assert "share" not in figures([Facts()])


def test_items_stream_through_a_tally() -> None:
    """A tally that is fed one by one says what `figures` says of all at once."""
    items: Sequence[Facts] = [Facts(error=n % 3 == 0, latency=float(n), total_cost=n / 7) for n in range(50)]
    tally = Tally()
    for one in items:
        tally.add(one)
    assert tally.result() == figures(items)


def test_figures_are_json_without_nan() -> None:
    found = figures([Facts(latency=NAN, total_cost=1.5, feedback={"a": INFINITY})], [{"n": NAN}])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
