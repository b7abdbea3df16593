"""LangSmith's own Python client traces to a running `insights up` and reads back: its checks, by every way it sends."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.clients.up import NEWEST, OLDEST, ROOT, python_of, running
from tests.insights.command import clean_environment

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("up")) as (url, _):
        yield url


def check(client: str, url: str, checks: str, mode: str = "zstd") -> None:
    """Run the checks of tests/clients/`checks`.py in the client's environment."""
    environment = {name: value for name, value in clean_environment().items() if not name.startswith("LANG")} | {
        "LANGSMITH_ENDPOINT": url,
        "LANGSMITH_API_KEY": "none",
        "MODE": mode,
        "LANGSMITH_DISABLE_RUN_COMPRESSION": str(mode == "plain").lower(),
        "PYTHONUTF8": "1",
    }
    command = [str(python_of(client)), "-W", "ignore", "-m", "unittest", f"tests.clients.{checks}"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr[-8_000:]
    assert re.search(r"^Ran [1-9]", ran.stderr, re.MULTILINE), ran.stderr


@pytest.mark.parametrize("mode", ["zstd", "plain", "single"])
def test_what_the_newest_client_traces_is_found_again(url: str, mode: str) -> None:
    check(NEWEST, url, "run_tracing", mode)


def test_what_the_oldest_client_traces_is_found_again(url: str) -> None:
    check(OLDEST, url, "run_tracing")
