"""A report by a model, as its user asks for it: one call a trace, a fault is one trace's, and nothing is paid twice."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.insights.command import insights
from tests.servers.fake_model import FakeModelServer

TOPICS = ("My parcel is late, where is order", "I want a refund for order", "I cannot log in to account")
JOB: dict[str, Any] = {
    "engine": "model",
    "summary_model": "summaries",
    "cluster_model": "clusters",
    "attribute_schemas": {"urgent": {"type": "boolean", "description": "Whether it is urgent"}},
}
WORDS_ALONE = {"INSIGHTS_EMBEDDING": "none"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeModelServer]:
    server = FakeModelServer(tmp_path_factory.mktemp("fake-model"))
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True)
class First:
    """A report of thirty traces, and how many calls its summaries took."""

    path: Path
    report: dict[str, Any]
    calls: int


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, server: FakeModelServer) -> First:
    path = traces(tmp_path_factory.mktemp("first"))
    report = analyzed(path, server)
    return First(path, report, calls(server, "summaries"))


def traces(folder: Path, fault: str = "") -> Path:
    """Thirty of three kinds; the last asks for what a marker says."""
    path = folder / "traces.jsonl"
    with path.open("w") as file:
        for n in range(30):
            said = f"{TOPICS[n % 3]} {n}? It is urgent. {fault if n == 29 else ''}"
            messages = [{"role": "user", "content": said}, {"role": "assistant", "content": "I will look into it."}]
            file.write(json.dumps({"id": f"trace-{n:02}", "inputs": {"messages": messages}}) + "\n")
    return path


def analyzed(path: Path, server: FakeModelServer, **changes: Any) -> dict[str, Any]:
    """The report."""
    folder = path.parent
    job, report = folder / "job.yaml", folder / "report.json"
    job.write_text(json.dumps(JOB | changes))  # JSON is YAML
    settings = WORDS_ALONE | {"OPENAI_BASE_URL": server.base_url}
    outcome = insights("analyze", path, "--config", job, "--data", folder, "--json", report, settings=settings)
    assert outcome.code == 0, outcome.err
    document: dict[str, Any] = json.loads(report.read_text())
    return document


def told(report: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Summary and attributes by the source's id."""
    return {run["source_id"]: (run["summary"], run["attributes"]) for run in report["runs"]}


def calls(server: FakeModelServer, model: str) -> int:
    return int(server.stats()["by_model"].get(model, {}).get("calls", 0))


def test_one_call_a_trace_makes_its_summary_and_its_attributes(first: First) -> None:
    assert first.calls == 30
    assert len(told(first.report)) == 30
    for summary, attributes in told(first.report).values():
        assert "It is urgent." in summary
        assert attributes == {"urgent": True}


def test_what_was_asked_once_is_not_asked_again(first: First, server: FakeModelServer) -> None:
    requests = server.stats()["requests"]
    again = analyzed(first.path, server, name="the same, in another job")
    assert told(again) == told(first.report)
    assert server.stats()["requests"] == requests


def test_another_summary_prompt_costs_new_summaries_and_no_attribute(first: First, server: FakeModelServer) -> None:
    before = calls(server, "summaries")
    report = analyzed(first.path, server, summary_prompt="Which product? {{run.inputs}} {{run.outputs}}")
    assert calls(server, "summaries") - before == 30
    assert all(attributes == {"urgent": True} for _, attributes in told(report).values())


def test_a_fault_that_stays_is_one_traces_and_the_others_are_as_without_it(
    first: First, tmp_path: Path, server: FakeModelServer
) -> None:
    report = analyzed(traces(tmp_path, "[[fake-model content-filter always]]"), server)
    healthy = told(first.report)
    del healthy["trace-29"]
    assert told(report) == healthy
    [failed] = report["coverage"]["failed"]
    assert report["coverage"]["failed_count"] == 1
    assert "refused this content by its filter" in failed["reason"]


def test_a_file_that_grew_pays_for_the_new_trace_alone(first: First, server: FakeModelServer, tmp_path: Path) -> None:
    """Each file is a workspace of its own, but what was answered is kept for all files of the folder."""
    folder = first.path.parent
    longer = tmp_path / "longer.jsonl"
    added = {"id": "trace-30", "inputs": {"messages": [{"role": "user", "content": "Where is my invoice?"}]}}
    longer.write_text(first.path.read_text() + json.dumps(added) + "\n")
    before = calls(server, "summaries")
    job = folder / "job.yaml"
    job.write_text(json.dumps(JOB))
    settings = WORDS_ALONE | {"OPENAI_BASE_URL": server.base_url}
    outcome = insights("analyze", longer, "--config", job, "--data", folder, settings=settings)
    assert outcome.code == 0, outcome.err
    assert calls(server, "summaries") == before + 1
