"""What is said before anything is sent is what is then counted; and nothing is sent to say it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from insights.demo import write
from insights.estimating import rounded_up
from tests.insights.command import Outcome, insights
from tests.servers.fake_model import FakeModelServer

TRACES = 40
PLAIN = "gpt-4.1-mini"  # thinks no thoughts, as the stand-in does not
MODELS = ("--engine", "model", "--summary-model", PLAIN, "--cluster-model", PLAIN)
CONTENT = ("--attribute", "content: boolean: is the user content?")
VECTORS = "text-embedding-3-small"
WORDS = {"INSIGHTS_EMBEDDING": "none"}


@dataclass(frozen=True)
class Place:
    """A stand-in that logs what it is asked, and a data folder."""

    server: FakeModelServer
    log: Path
    traces: Path
    data: Path
    seen: list[int] = field(default_factory=lambda: [0])

    def run(self, command: str, *options: str, **settings: str) -> Outcome:
        return insights(
            command,
            self.traces,
            "--base-url",
            self.server.base_url,
            *options,
            "--data",
            self.data,
            settings=WORDS | settings,
        )

    def asked(self) -> list[dict[str, Any]]:
        """What the stand-in was asked since the last look."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        new = [json.loads(line) for line in lines[self.seen[0] :]]
        self.seen[0] = len(lines)
        return new


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeModelServer, Path]]:
    folder = tmp_path_factory.mktemp("model")
    log = folder / "asked.jsonl"
    found = FakeModelServer(folder, "--log", str(log))
    found.start()
    yield found, log
    found.stop()


@pytest.fixture
def place(server: tuple[FakeModelServer, Path], tmp_path: Path) -> Place:
    write(tmp_path / "demo.jsonl", TRACES, 0)
    found = Place(*server, tmp_path / "demo.jsonl", tmp_path / "data")
    found.asked()
    return found


def rows(text: str) -> dict[str, list[str]]:
    """The table of an estimate or a report: stage → model, calls, kept, tokens in, out, dollars."""
    table = text[text.index("Stage  ") :].splitlines()[1:]
    cells = [line.replace("~", "").replace(",", "").split() for line in table]
    end = next(place for place, row in enumerate(cells) if row and row[0] == "together")
    return {row[0]: row[1:] for row in cells[: end + 1]}


@pytest.mark.parametrize(
    "attributes", [(), CONTENT, (*CONTENT, "--attribute-model", PLAIN, "--embedding-model", VECTORS)]
)
def test_calls_are_exact_and_tokens_within_15_percent(place: Place, attributes: tuple[str, ...]) -> None:
    told = rows(place.run("estimate", *MODELS, *attributes).out)
    assert not place.asked()
    outcome = place.run("analyze", *MODELS, *attributes)
    assert outcome.code == 0, outcome.err
    asked = place.asked()
    calls = Counter(one["stage"] for one in asked)
    assert int(told["summaries"][1]) == calls["summary"] > 0
    assert int(told.get("attributes", ["", "0"])[1]) == calls["attributes"]
    assert told.get("vectors", [VECTORS, "0"])[:2] == [VECTORS, str(sum(one["model"] == VECTORS for one in asked))]
    read = sum(one["prompt_tokens"] for one in asked if one["stage"] in ("summary", "attributes"))
    expected = sum(int(told[stage][3]) for stage in ("summaries", "attributes") if stage in told)
    assert expected == pytest.approx(read, rel=0.15)
    tokens = sum(one["prompt_tokens"] + one["completion_tokens"] for one in asked)
    assert int(told["together"][2]) + int(told["together"][3]) == pytest.approx(tokens, rel=0.15)
    paid = rows(outcome.out)
    assert sum(int(row[1]) for stage, row in paid.items() if stage != "together") == len(asked)


def test_what_is_kept_is_not_estimated_again(place: Place) -> None:
    place.run("analyze", *MODELS, *CONTENT)
    seeded = rows(place.run("estimate", *MODELS, *CONTENT, "--seed", "1").out)
    assert seeded["summaries"][1] == "0"
    assert int(seeded["summaries"][2]) > 0
    added = rows(place.run("estimate", *MODELS, *CONTENT, "--attribute", "angry: boolean: is the user angry?").out)
    assert (added["summaries"][1], added["attributes"][1]) == ("0", seeded["summaries"][2])
    assert "prints it again for nothing" in place.run("estimate", *MODELS, *CONTENT).out


def test_a_job_over_its_budget_is_refused_with_the_sample_that_fits(place: Place) -> None:
    refused = place.run("analyze", *MODELS, "--budget", "0.01")
    assert (refused.code, place.asked()) == (2, [])
    fitting = refused.err.split("--sample ")[1].split(":")[0]
    assert 0 < int(fitting) < TRACES
    assert "Nothing was sent." in refused.err
    smaller = place.run("analyze", *MODELS, "--budget", "0.01", "--sample", fitting)
    assert smaller.code == 0, smaller.err
    assert "used up" not in smaller.out


def test_the_budget_that_is_advised_does_not_end_the_job(place: Place) -> None:
    advised = place.run("estimate", *MODELS).out.split("does not end it early: $")[1].split(".\n")[0]
    whole = place.run("analyze", *MODELS, "--budget", advised)
    assert whole.code == 0, whole.err
    assert "used up" not in whole.out
    assert "Left out" not in whole.out


def test_a_job_that_would_ask_nothing_is_refused_by_no_budget(place: Place) -> None:
    place.run("analyze", *MODELS)
    place.asked()
    assert "may be kept, too" in place.run("estimate", *MODELS, "--budget", "0.001").out
    again = place.run("analyze", *MODELS, "--budget", "0.001")
    assert (again.code, place.asked()) == (0, []), again.err
    assert "used up" not in again.out
    assert int(rows(again.out)["summaries"][2]) > 0


def test_a_sample_too_few_for_categories_is_offered_where_it_fits(place: Place) -> None:
    refused = place.run("analyze", *MODELS, "--budget", "0.002")
    assert refused.code == 2
    few = refused.err.split("--sample ")[1].split(",")[0]
    assert "too few for categories" in refused.err
    smaller = place.run("analyze", *MODELS, "--budget", "0.002", "--sample", few)
    assert smaller.code == 0, smaller.err
    assert len(place.asked()) == int(few) < 8
    assert "not pay for one trace" in place.run("analyze", *MODELS, "--budget", "0.0001").err


def test_a_budget_without_a_model_is_a_mistake_that_is_said(place: Place) -> None:
    refused = place.run("analyze", "--budget", "2")
    assert (refused.code, place.asked()) == (2, [])
    assert "--engine model" in refused.err


def test_an_unknown_price_is_said_and_is_never_nothing(place: Place) -> None:
    unknown = ("--engine", "model", "--summary-model", "house-model", "--cluster-model", "house-model")
    told = place.run("estimate", *unknown)
    assert [row[-1] for stage, row in rows(told.out).items()] == ["unknown"] * len(rows(told.out))
    assert "The price of house-model is not known" in told.out
    refused = place.run("analyze", *unknown, "--budget", "1")
    assert (refused.code, place.asked()) == (2, [])
    assert "INSIGHTS_PRICES" in refused.err


def test_a_dry_run_shows_three_prompts_and_the_schema_and_asks_nothing(place: Place) -> None:
    shown = place.run("analyze", *MODELS, *CONTENT, "--dry-run")
    assert (shown.code, place.asked()) == (0, [])
    assert shown.out.count("<trace_value>") >= 3
    assert shown.out.count("[system]") == 3
    assert '"content": {' in shown.out
    assert "is the user content?" in shown.out


def test_without_key_and_endpoint_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    outcome = insights("analyze", tmp_path / "absent.jsonl", "--engine", "model", "--data", tmp_path)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "OPENAI_API_KEY" in outcome.err
    assert "--base-url" in outcome.err


def test_a_key_in_the_environment_changes_nothing(place: Place, tmp_path: Path) -> None:
    settings = {"OPENAI_API_KEY": "sk-123456789", "OPENAI_BASE_URL": place.server.base_url}
    target = tmp_path / "report.json"
    done = insights("analyze", place.traces, "--json", target, "--data", place.data, settings=WORDS | settings)
    assert done.code == 0, done.err
    report = json.loads(target.read_text())
    assert (report["engine"], report["spending"], report["cost"], place.asked()) == ("local", [], 0, [])


@pytest.mark.parametrize(("dollars", "shown"), [(0.0, 0.0), (0.101, 0.11), (0.0421, 0.043), (2.0, 2.0), (0.1, 0.1)])
def test_a_budget_that_is_advised_is_never_below_what_is_needed(dollars: float, shown: float) -> None:
    assert rounded_up(dollars) == shown
