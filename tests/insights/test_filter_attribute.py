"""A filter attribute leaves items out before they are grouped, and the report says how many and by which."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from insights.demo import write
from tests.insights.command import Outcome, insights
from tests.servers.fake_model import FakeModelServer

TRACES = 30
CONFIG = {
    "engine": "model",
    "summary_model": "small",
    "cluster_model": "small",
    "attribute_schemas": {
        "refund": {"type": "boolean", "description": "Whether it is about a refund", "filter_by": True},
        "order_number": {"type": "number", "description": "Number of the order"},
    },
}
UNFINISHED = 0  # of the demo
REASON = "left out by attribute refund"


def analysed(folder: Path, config: dict[str, Any]) -> tuple[Outcome, dict[str, Any]]:
    write(folder / "demo.jsonl", TRACES)
    (folder / "job.yaml").write_text(yaml.safe_dump(config))
    server = FakeModelServer(folder)
    server.start()
    try:
        outcome = insights(
            *("analyze", folder / "demo.jsonl", "--data", folder, "--json", folder / "r.json"),
            *("--config", folder / "job.yaml"),
            settings={"OPENAI_BASE_URL": server.base_url},
        )
    finally:
        server.stop()
    document = json.loads((folder / "r.json").read_text()) if (folder / "r.json").exists() else {}
    return outcome, document


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, dict[str, Any]]:
    outcome, document = analysed(tmp_path_factory.mktemp("data"), CONFIG)
    assert outcome.code == 0, outcome.err
    return outcome, document


def test_only_items_whose_filter_attribute_is_true_are_in_the_report(
    reported: tuple[Outcome, dict[str, Any]],
) -> None:
    _, document = reported
    assert document["runs"]
    assert {row["attributes"]["refund"] for row in document["runs"]} == {True}
    assert document["stats"]["run_count"] == len(document["runs"])


def test_the_others_are_counted_with_the_reason_in_the_file_and_in_print(
    reported: tuple[Outcome, dict[str, Any]],
) -> None:
    outcome, document = reported
    left = document["coverage"]["left_out"]
    assert left.keys() == {REASON}
    assert left[REASON] > 0
    assert document["coverage"]["summarized"] == document["coverage"]["sampled"] == len(document["runs"]) + left[REASON]
    assert f"{TRACES - UNFINISHED} summarised, {left[REASON]} {REASON}\n" in outcome.out


def test_a_filter_that_lets_nothing_through_ends_the_job_with_what_did_it(tmp_path: Path) -> None:
    nobody = {"zebra": {"type": "boolean", "description": "", "filter_by": True}}
    outcome, _ = analysed(tmp_path, CONFIG | {"attribute_schemas": nobody})
    assert outcome.code == 1
    assert "the first was left out by attribute zebra. Say in its description what counts" in outcome.err
