"""A key that the endpoint refuses is the user's to set right: a sentence, and no report around it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from insights.demo import write
from tests.insights.command import Outcome, insights
from tests.servers.fake_model import FakeModelServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeModelServer]:
    server = FakeModelServer(tmp_path_factory.mktemp("fake-model"), "--key", "right")
    server.start()
    yield server
    server.stop()


def asked(server: FakeModelServer, folder: Path, *command: str | Path) -> Outcome:
    """The command with a wrong key."""
    write(folder / "demo.jsonl", 30)
    settings = {"OPENAI_API_KEY": "sk-wrong", "OPENAI_BASE_URL": server.base_url, "INSIGHTS_EMBEDDING": "none"}
    return insights(*command, "--engine", "model", "--data", folder, settings=settings)


def test_it_is_one_sentence_with_what_to_do_and_neither_a_report_nor_a_traceback(
    server: FakeModelServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = asked(server, tmp_path, "analyze", tmp_path / "demo.jsonl", "--json", tmp_path / "r.json")
    assert outcome.code == 2
    assert outcome.out == ""
    [folder, said] = outcome.err.splitlines()
    assert folder.startswith("Data folder: ")
    assert "refused the key, or got none: set OPENAI_API_KEY" in said
    assert "refused the key" in caplog.text
    assert "Traceback" not in caplog.text
    assert "sk-wrong" not in caplog.text + outcome.err
    assert json.loads((tmp_path / "r.json").read_text())["status"] == "error"


def test_a_draft_is_refused_in_the_same_way(server: FakeModelServer, tmp_path: Path) -> None:
    drafting = ("config", "draft", tmp_path / "demo.jsonl", "--agent", "bot", "--learn", "why")
    outcome = asked(server, tmp_path, *drafting, "--output", tmp_path / "job.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert "refused the key, or got none: set OPENAI_API_KEY" in outcome.err
    assert not (tmp_path / "job.yaml").exists()


def test_an_endpoint_without_the_engine_that_asks_it_is_told(tmp_path: Path) -> None:
    write(tmp_path / "demo.jsonl", 3)
    outcome = insights("analyze", tmp_path / "demo.jsonl", "--base-url", "http://localhost:1/v1", "--data", tmp_path)
    assert outcome.code == 2
    assert "add --engine model, or leave it out" in outcome.err
