"""Attributes and categories that are asked for on the command line come back as figures, in the file and in print."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from insights.demo import write
from tests.insights.command import Outcome, insights
from tests.insights.truth import check_report, traces_of

TRACES = 60
OPTIONS = (
    *("--attribute", "user_satisfied: boolean: the customer is satisfied at the end"),
    *("--attribute", "topic: categorical(order|refund|account): what it is about"),
    *("--attribute", "euros: number: how many euros it is about"),
    *("--attribute", "mood: string: how the customer feels"),
    *("--category", "Orders: where an order is, delivery, tracking"),
    *("--category", "Money: refunds, returns, payments"),
    *("--max-leaves", "12"),
    "--verbose",
)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("data")
    write(folder / "demo.jsonl", TRACES)
    outcome = insights("analyze", folder / "demo.jsonl", "--data", folder, "--json", folder / "r.json", *OPTIONS)
    assert outcome.code == 0, outcome.err
    return outcome, json.loads((folder / "r.json").read_text()), folder / "demo.jsonl"


def test_each_figure_is_that_of_the_rows_inside_beside_that_of_the_rows_outside(
    reported: tuple[Outcome, dict[str, Any], Path],
) -> None:
    _, document, file = reported
    check_report(document, traces_of(file))
    found = document["stats"]["attributes"]
    assert {name: one["type"] for name, one in found.items()} == {
        "user_satisfied": "boolean",
        "topic": "string",
        "euros": "number",
        "mood": "string",
    }
    assert found["topic"]["values"].keys() == {"order", "refund", "account"}


def test_the_given_categories_are_the_top_level(reported: tuple[Outcome, dict[str, Any], Path]) -> None:
    names = {one["name"] for one in reported[1]["clusters"] if one["parent_id"] is None}
    assert {"Orders", "Money"} <= names <= {"Orders", "Money", "None of these"}


def test_the_terminal_says_what_is_unknown(reported: tuple[Outcome, dict[str, Any], Path]) -> None:
    outcome, document, _ = reported
    text = " ".join(outcome.out.split())
    assert f"mood: unknown in all {len(document['runs'])}" in text
    for name, one in document["stats"]["attributes"].items():
        if one["n"] and one["unknown"]:
            assert re.search(rf"- {name}: [^:]+ of {one['n']}, {one['unknown']} unknown", text)
    assert all(note in text for note in document["notes"])
