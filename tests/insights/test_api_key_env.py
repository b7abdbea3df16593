"""The environment's key goes to no other endpoint than the environment's, unless the user names the variable."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.insights.command import Outcome, insights
from tests.insights.test_model_engine import WORDS_ALONE, traces
from tests.servers.fake_model import FakeModelServer

KEY = "sk-of-the-endpoint"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeModelServer]:
    server = FakeModelServer(tmp_path_factory.mktemp("fake-model"), "--key", KEY)
    server.start()
    yield server
    server.stop()


def analyzed(folder: Path, *options: str, **settings: str) -> Outcome:
    arguments: list[str | Path] = ["analyze", traces(folder), "--engine", "model", "--data", folder, *options]
    return insights(*arguments, settings=WORDS_ALONE | settings)


def test_another_endpoint_gets_no_key_and_the_error_says_how_it_would(tmp_path: Path, server: FakeModelServer) -> None:
    outcome = analyzed(tmp_path, "--base-url", server.base_url, OPENAI_API_KEY=KEY)
    assert outcome.code != 0
    assert "--api-key-env" in outcome.out + outcome.err
    assert KEY not in outcome.out + outcome.err


def test_a_variable_that_is_named_holds_the_key(tmp_path: Path, server: FakeModelServer) -> None:
    at = ("--base-url", server.base_url, "--api-key-env", "MY_KEY")
    missing = analyzed(tmp_path, *at)
    assert (missing.code, "MY_KEY is not set" in missing.err) == (2, True)
    outcome = analyzed(tmp_path, *at, MY_KEY=KEY)
    assert outcome.code == 0, outcome.err


def test_the_environments_own_address_gets_the_environments_key(tmp_path: Path, server: FakeModelServer) -> None:
    settings = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.base_url}
    outcome = analyzed(tmp_path, "--base-url", f"{server.base_url}/", **settings)
    assert outcome.code == 0, outcome.err


def test_the_address_may_stand_in_the_file_of_options(tmp_path: Path, server: FakeModelServer) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(f"base_url: {server.base_url}\n")
    outcome = analyzed(tmp_path, "--config", str(job), "--api-key-env", "MY_KEY", MY_KEY=KEY)
    assert outcome.code == 0, outcome.err
