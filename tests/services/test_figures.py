"""Figures are exact, streamed, and say nothing about what nobody knows."""

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.aspects import DISTINCT
from services.aggregator.figures import FACTS, Table
from shared.job_config import AttributeSchema
from shared.models import Conduct, Facts

NAN, INFINITY = float("nan"), float("inf")


def figures(facts: Sequence[Facts]) -> dict[str, Any]:
    """Of all these items."""
    table = Table()
    for one in facts:
        table.add(("leaf",), one)
    return table.whole()


def attribute(schema: dict[str, Any], *values: Any) -> dict[str, Any]:
    """The figure of one attribute with these values, one an item."""
    table = Table({"x": AttributeSchema(**schema)})
    for value in values:
        table.add(("leaf",), Facts(), {"x": value})
    found: dict[str, Any] = table.whole()["attributes"]["x"]
    return found


def beside(schema: dict[str, Any], here: Sequence[Any], rest: Sequence[Any]) -> dict[str, Any]:
    """The figure of one attribute in a category, with that of the rest."""
    table = Table({"x": AttributeSchema(**schema)})
    for leaf, values in (("here", here), ("one", rest[::2]), ("other", rest[1::2])):
        for value in values:
            table.add((leaf, "above"), Facts(), {"x": value})
    found: dict[str, Any] = table.cluster("here")["attributes"]["x"]
    return found


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
    assert figures([])["run_count"] == 0
    assert Table().cluster("none")["share"] is None
    table = Table()
    table.add(("leaf",), Facts())
    assert (table.cluster("other")["share"], table.cluster("other")["run_count"]) == (0, 0)


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


def test_a_boolean_has_its_share_of_true_over_the_known_beside_the_rest() -> None:
    assert beside({"type": "boolean"}, [True, True, None, False], [False, None, True, False, False]) == {
        "type": "boolean",
        "n": 3,
        "unknown": 1,
        "share": 2 / 3,
        "rest": {"n": 4, "unknown": 1, "share": 1 / 4},
    }


def test_a_number_has_its_quartiles_beside_the_rest() -> None:
    found = beside({"type": "number"}, [1, 2, 3, 4, 5.5, None], [0, 10, -20, 30])
    rest = found.pop("rest")
    assert found == {
        "type": "number", "n": 5, "unknown": 1, "p25": 2, "p50": 3, "p75": 4, "avg": 3.1, "positive": 1
    }  # fmt: skip
    assert (rest["n"], rest["unknown"], rest["p50"], rest["avg"], rest["positive"]) == (4, 0, 5, 5, 0.5)


def test_a_categorical_attribute_has_the_count_of_every_given_value_beside_the_rest() -> None:
    schema = {"type": "string", "enum": ["billing", "login", "other"]}
    assert beside(schema, ["billing", "billing", None], ["login", "billing", "strange"]) == {
        "type": "string",
        "n": 2,
        "unknown": 1,
        "values": {"billing": 2, "login": 0, "other": 0},
        "distinct": 1,
        "rest": {"n": 2, "unknown": 1, "values": {"billing": 1, "login": 1, "other": 0}, "distinct": 2},
    }


def test_of_open_values_the_most_frequent_are_counted_in_the_rest_too() -> None:
    found = beside({"type": "string"}, ["a"] * 3 + [str(n) for n in range(20)], ["a", "b"])
    assert (len(found["values"]), found["values"]["a"], found["distinct"]) == (10, 3, 21)
    assert (found["rest"]["values"]["a"], found["rest"]["n"], found["rest"]["distinct"]) == (1, 2, 2)
    assert found["rest"]["values"].keys() == found["values"].keys()


@pytest.mark.parametrize("kind", ["boolean", "number", "string"])
def test_what_nobody_knows_of_an_attribute_is_unknown_and_so_is_a_value_of_another_type(kind: str) -> None:
    wrong: list[Any] = [None, [1], NAN, {"a": True}]
    others: dict[str, list[Any]] = {
        "boolean": [1, "true"],
        "number": [True, "3", 10**400, INFINITY],
        "string": [True, 3],
    }
    wrong += others[kind]
    found = attribute({"type": kind}, *wrong)
    assert (found["n"], found["unknown"]) == (0, len(wrong))
    assert {found[key] for key in ("share", "p50", "avg", "positive") if key in found} <= {None}


def test_an_attribute_that_the_job_does_not_know_is_not_followed() -> None:
    table = Table({"x": AttributeSchema(type="boolean")})
    table.add(("leaf",), Facts(), {"y": True})
    assert table.whole()["attributes"].keys() == {"x"}


def test_free_text_has_no_table_of_values() -> None:
    long = attribute({"type": "string"}, "x" * 300)
    many = attribute({"type": "string"}, *(str(n) for n in range(2 * DISTINCT)))
    assert (long["n"], long["values"], long["distinct"]) == (1, None, None)
    assert (many["n"], many["values"], many["distinct"]) == (2_000, None, None)


def test_facts_are_counted_as_attributes_are() -> None:
    table = Table()
    table.add(("a",), Facts(conduct=Conduct(user_turns=4, tool_errors=2, refusal=True)), effort=0.5)
    table.add(("a",), Facts(conduct=Conduct(user_turns=2, handed_over=True)))
    table.add(("b",), Facts())
    found = table.cluster("a")["facts"]
    assert found.keys() == FACTS.keys()
    assert (found["user_turns"]["n"], found["user_turns"]["p50"]) == (2, 3)
    assert (found["tool_errors"]["n"], found["tool_errors"]["unknown"], found["tool_errors"]["positive"]) == (1, 1, 1)
    assert (found["refusal"]["n"], found["refusal"]["share"]) == (1, 1)
    assert (found["handed_over"]["n"], found["handed_over"]["share"]) == (2, 0.5)
    assert (found["effort"]["n"], found["effort"]["p50"]) == (1, 0.5)
    assert found["handed_over"]["rest"] == {"n": 0, "unknown": 1, "share": None}


def test_a_share_is_of_the_whole_which_has_none_itself() -> None:
    table = Table()
    for leaf in "aabbbbbb":
        table.add((leaf, "top"), Facts())
    assert (table.cluster("a")["share"], table.cluster("top")["share"]) == (0.25, 1)
    assert "share" not in table.whole()
    assert "rest" not in table.whole()["facts"]["user_turns"]


def test_what_lies_in_no_cluster_is_of_the_rest_and_of_the_whole() -> None:
    table = Table()
    table.add(("a",), Facts(latency=1))
    table.add((), Facts(latency=3))
    assert (table.cluster("a")["run_count"], table.whole()["run_count"], table.whole()["latency_p50"]) == (1, 2, 2)


ITEM = st.tuples(st.sampled_from("abc"), st.none() | st.booleans(), st.none() | st.integers(-3, 3))


@given(st.lists(ITEM, max_size=40), st.randoms(use_true_random=False))
def test_every_group_has_the_figures_of_its_own_items(
    items: list[tuple[str, bool | None, int | None]], shuffler: random.Random
) -> None:
    """A category of two leaves, in one table with all others, says what a table of its items alone would say."""
    schemas = {"x": AttributeSchema(type="boolean"), "y": AttributeSchema(type="number")}
    table, alone, rest = Table(schemas), Table(schemas), Table(schemas)
    tops = {"a": "top", "b": "top", "c": "other"}
    shuffled = shuffler.sample(items, len(items))
    for leaf, boolean, number in shuffled:
        table.add((leaf, tops[leaf]), Facts(error=boolean, latency=number), {"x": boolean, "y": number})
    for leaf, boolean, number in items:
        of = alone if tops[leaf] == "top" else rest
        of.add((leaf,), Facts(error=boolean, latency=number), {"x": boolean, "y": number})
    found, wanted, others = table.cluster("top"), alone.whole(), rest.whole()
    for name in wanted.keys() - {"attributes", "facts"}:
        assert found[name] == wanted[name], name
    for name in schemas:
        beside = others["attributes"][name]
        assert found["attributes"][name] == {
            **wanted["attributes"][name],
            "rest": {key: value for key, value in beside.items() if key != "type"},
        }


def test_figures_are_json_without_nan() -> None:
    found = figures([Facts(latency=NAN, total_cost=1.5, feedback={"a": INFINITY})])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    numbers = attribute({"type": "number"}, NAN, 2)
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
