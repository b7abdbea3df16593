"""LangSmith's own Python client traces to a running `insights up` and reads back: its checks, by every way it sends."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest

from tests.clients.up import NEWEST, OLDEST, ROOT, python_of, running
from tests.insights.command import clean_environment

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("up")) as (url, _):
        yield url


def environment(url: str, mode: str) -> dict[str, str]:
    return {name: value for name, value in clean_environment().items() if not name.startswith("LANG")} | {
        "LANGSMITH_ENDPOINT": url,
        "LANGSMITH_API_KEY": "none",
        "MODE": mode,
        "LANGSMITH_DISABLE_RUN_COMPRESSION": str(mode == "plain").lower(),
        "PYTHONUTF8": "1",
    }


def check(client: str, url: str, checks: str, mode: str = "zstd") -> None:
    """Run the checks of tests/clients/`checks`.py in the client's environment."""
    command = [str(python_of(client)), "-W", "ignore", "-m", "unittest", f"tests.clients.{checks}"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(url, mode), cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr[-8_000:]
    assert re.search(r"^Ran [1-9]", ran.stderr, re.MULTILINE), ran.stderr


@pytest.mark.parametrize("mode", ["zstd", "plain", "single"])
def test_what_the_newest_client_traces_is_found_again(url: str, mode: str) -> None:
    check(NEWEST, url, "run_tracing", mode)


def test_what_langchain_and_langgraph_trace_is_found_again(url: str) -> None:
    check(NEWEST, url, "run_langchain")


def test_what_the_oldest_client_traces_is_found_again(url: str) -> None:
    check(OLDEST, url, "run_tracing")


@pytest.mark.parametrize("client", [NEWEST, OLDEST])
def test_runs_threads_projects_and_feedback_are_read(url: str, client: str) -> None:
    check(client, url, "run_reads")


def test_feedback_goes_one_by_one_too(url: str) -> None:
    check(NEWEST, url, "run_reads.Feedback.test_with_its_trace", "single")


def test_a_server_killed_in_the_midst_of_a_flush_loses_nothing_that_it_answered(tmp_path: Path) -> None:
    command = [str(python_of(NEWEST)), "-W", "ignore", "-m", "tests.clients.run_restart"]
    with (
        running(tmp_path) as (url, server),
        subprocess.Popen(
            command, stdin=PIPE, stdout=PIPE, text=True, bufsize=1, env=environment(url, "plain"), cwd=ROOT
        ) as client,
    ):
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == "answered\n"
        server.kill()
        server.wait()
        client.stdin.write("gone\n")
        with running(tmp_path, port=httpx.URL(url).port or 0):
            found = json.loads(client.communicate("back\n")[0])
    assert len(found["answered"]) > len(found["late"]) == 10
    assert {*found["answered"], *found["late"]} <= set(found["found"])
    assert len(found["found"]) == len(set(found["found"]))
