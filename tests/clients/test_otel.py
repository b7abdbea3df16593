"""LangSmith's SDK in its OTel mode and OpenTelemetry's own exporter send to a running `insights up`."""

import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients.up import HERE, NEWEST, python_of, running
from tests.insights.command import clean_environment

pytestmark = pytest.mark.timeout(300)
TEXT = 'Where is parcel 1? 📦 "quoted" \x07'


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("up")) as (url, _):
        yield url


@pytest.fixture(scope="module")
def traced(url: str) -> str:
    python = python_of(NEWEST)
    told = {"TRACING": "true", "TRACING_MODE": "otel", "ENDPOINT": url, "PROJECT": "by sdk", "API_KEY": "none"}
    environment = clean_environment() | {f"LANGSMITH_{name}": value for name, value in told.items()}
    command = [str(python), str(HERE / "run_otel.py"), url, TEXT]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert found.returncode == 0, found.stderr[-4_000:]
    assert "export" not in found.stderr, found.stderr[-4_000:]
    return url


def runs(url: str, project: str) -> dict[str, dict[str, Any]]:
    """By name."""
    [found] = httpx.get(f"{url}/sessions", params={"name": project}).json()
    listed = httpx.post(f"{url}/runs/query", json={"session": [found["id"]]}).json()["runs"]
    return {one["name"]: one for one in listed}


def test_what_the_sdk_sends_as_spans_is_found_again_equal(traced: str) -> None:
    found = runs(traced, "by sdk")
    assert set(found) == {"answer", "fail", "model"}
    root, failed, called = found["answer"], found["fail"], found["model"]
    assert (root["parent_run_id"], root["thread_id"], root["tags"]) == (None, "t-1", ["a", "b"])
    assert {failed["parent_run_id"], called["parent_run_id"]} == {root["id"]}
    assert called["inputs"] == {"messages": [{"role": "user", "content": TEXT}]}
    assert root["inputs"] == failed["inputs"] == {"question": TEXT}
    assert (called["outputs"]["content"], called["run_type"]) == (TEXT, "llm")
    assert (called["prompt_tokens"], called["completion_tokens"]) == (3, 4)
    assert root["metadata"]["shape"] == {"deep": [1, None]}
    assert (failed["status"], root["status"]) == ("error", "success")
    assert failed["error"].startswith("ValueError(")
    assert failed["error"].count("Traceback") == 1
    assert called["dotted_order"].startswith(root["dotted_order"] + ".")


def test_what_an_exporter_sends_packed_is_found_again(traced: str) -> None:
    found = runs(traced, "plain")
    assert found["inner"]["parent_run_id"] == found["outer"]["id"]
    assert found["inner"]["inputs"]["messages"][0]["content"] == TEXT
    assert found["outer"]["metadata"]["service.name"] == "shop"
