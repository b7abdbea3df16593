"""`insights up` as its user runs it, and what `up` and `serve` say where they cannot start."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from insights.demo import generate, write
from insights.serve import GRACE, listening
from shared.config import Settings
from tests.insights.command import insights, started
from tests.services.sending import CONTENT_TYPE, part, whole

STOP_SECONDS = 5.0
TRACES = 12


@dataclass(frozen=True)
class Up:
    """A running `insights up` on a free port."""

    process: "subprocess.Popen[str]"
    url: str
    folder: Path


@contextmanager
def running(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Up]:
    with started("up", "--port", "0", "--data", folder, settings=settings) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            found = re.search(r"ready on (http://\S+)", ready)
            assert found is not None, ready
            yield Up(process, found[1], folder)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running(tmp_path_factory.mktemp("up")) as found:
        yield found


@pytest.fixture
def client(up: Up) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=up.url, timeout=10) as found:
        yield found


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What `look` gives once it is something. A look over HTTP takes its time, so that this does not spin."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
    raise AssertionError(f"Nothing in {seconds} seconds.")


def project_id(client: httpx.Client, name: str) -> str:
    answer = until(lambda: client.get("/sessions", params={"name": name}).json())
    return str(answer[0]["id"])


def test_runs_that_are_sent_become_a_report(client: httpx.Client) -> None:
    """A job that is posted right after its runs sees them all."""
    assert client.get("/ready").json() == {"ready": True}
    runs = [run | {"session_name": "shop"} for run in generate(TRACES, light=True)]
    sent = client.post("/runs/batch", json={"post": runs}).json()
    assert (sent["refused"], sent["reasons"]) == (0, [])

    at = f"/sessions/{project_id(client, 'shop')}/insights"
    job = client.post(at, json={"name": "First"}).json()

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"{at}/{job['id']}").json()
        return found if found["status"] in ("success", "error") else None

    report = until(ended)
    assert (report["status"], report["name"], report["error"]) == ("success", "First", None)
    unfinished = sum(run["status"] == "pending" for run in runs)
    assert sum(report["shape"].values()) == TRACES - unfinished
    assert "insights_events_total{" in client.get("/metrics").text


def test_feedback_that_is_given_before_a_job_is_in_its_figures(client: httpx.Client) -> None:
    """By whatever way it comes, on whichever side of its run."""
    traces = [run for run in generate(TRACES, light=True, seed=2) if run["status"] == "success"]
    runs = [{key: value for key, value in run.items() if key != "feedback_stats"} for run in traces]
    rated = [run["id"] for run in runs if run["parent_run_id"] is None]
    parts = [
        part(f"feedback.{uuid4()}", json.dumps({"key": "early", "run_id": one, "score": True}).encode())
        for one in rated
    ]
    assert (
        client.post("/runs/multipart", content=whole(parts), headers={"Content-Type": CONTENT_TYPE}).status_code == 202
    )
    client.post("/runs/batch", json={"post": [run | {"session_name": "rated"} for run in runs]})
    for place, one in enumerate(rated):
        said = client.post("/feedback", json={"key": "late", "run_id": one, "score": place % 2})
        assert said.status_code == 200, said.text
    at = f"/sessions/{project_id(client, 'rated')}/insights"
    job = client.post(at, json={}).json()

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"{at}/{job['id']}").json()
        return found if found["status"] in ("success", "error") else None

    top = [one["stats"]["feedback_stats"] for one in until(ended)["clusters"] if one["parent_id"] is None]
    assert sum(one["early"]["n"] for one in top) == sum(one["late"]["n"] for one in top) == len(rated)
    assert {one["early"]["avg"] for one in top} == {1}
    assert sum(one["late"]["n"] * one["late"]["avg"] for one in top) == pytest.approx(len(rated) // 2)


def test_import_beside_it_goes_through_it(up: Up, client: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "more.jsonl"
    write(file, 10, light=True, seed=5)
    outcome = insights("import", file, "--project", "beside", "--data", up.folder)
    assert (outcome.code, outcome.out) == (0, "Project beside has 10 runs of more.jsonl.\n")
    assert project_id(client, "beside")


def test_a_correction_that_is_imported_beside_it_wins(up: Up, client: httpx.Client, tmp_path: Path) -> None:
    """As without a gateway: a whole run replaces what is stored, down to its name in a report."""
    [run] = generate(1, light=True)
    file = tmp_path / "runs.jsonl"
    for error in ("first", "second"):
        file.write_text(json.dumps(run | {"status": "error", "error": error}))
        assert insights("import", file, "--project", "corrected", "--data", up.folder).code == 0
    filtered = {"filter": 'eq(error, "second")'}
    at = f"/sessions/{project_id(client, 'corrected')}/insights"
    job = client.post(at, json=filtered).json()

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"{at}/{job['id']}").json()
        return found if found["status"] in ("success", "error") else None

    report = until(ended)
    assert (report["status"], report["error"]) == ("success", None)


def test_analyze_beside_it_names_it(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    write(file, 3, light=True)
    outcome = insights("analyze", file, "--data", up.folder)
    assert outcome.code == 2
    assert f"`insights up` (process {up.process.pid})" in outcome.err


async def test_no_answer_waits_for_the_acknowledgment_of_its_first_half() -> None:
    """Which with Nagle's algorithm takes 40 ms from a client that delays it."""

    def answered(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    address = listening(Settings(port=0))
    async with await asyncio.start_server(answered, sock=address):
        _, writer = await asyncio.open_connection(*address.getsockname())
        assert await found
        writer.close()
        await writer.wait_closed()


def test_a_taken_port_is_told_in_a_sentence(up: Up, tmp_path: Path) -> None:
    port = up.url.rsplit(":", 1)[1]
    outcome = insights("up", "--port", port, "--data", tmp_path)
    assert outcome.code == 2
    assert f"127.0.0.1:{port} cannot be served" in outcome.err
    assert "--port" in outcome.err


def test_a_port_is_taken_before_anything_else_starts(tmp_path: Path) -> None:
    """Also one on which nobody answers yet."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        outcome = insights("up", "--port", str(other.getsockname()[1]), "--data", tmp_path)
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["summarizer"], {}, "INSIGHTS_STORE=mongodb://"),
        (["summarizer"], {"INSIGHTS_STORE": "sqlite:///DIR/insights.db"}, "INSIGHTS_BUS=kafka://"),
        (["sumarizer"], {}, "summarizer"),
    ],
    ids=["no store", "no bus", "no service"],
)
def test_a_service_alone_says_what_it_needs(
    tmp_path: Path,
    arguments: list[str],
    environment: dict[str, str],
    said: str,
) -> None:
    settings = {name: value.replace("/DIR", str(tmp_path)) for name, value in environment.items()}
    outcome = insights("serve", *arguments, "--port", "0", settings=settings | {"INSIGHTS_DATA": str(tmp_path)})
    assert outcome.code == 2
    assert said in outcome.err


def test_a_misspelt_setting_stops_the_start(tmp_path: Path) -> None:
    outcome = insights("up", "--data", tmp_path, settings={"INSIGHTS_SLOT": "3"})
    assert outcome.code == 2
    assert "did you mean INSIGHTS_SLOTS" in outcome.err
    assert outcome.out == ""


def test_sigterm_ends_it_while_a_request_is_half_sent(tmp_path: Path) -> None:
    """A client that hangs must not hold up a restart."""
    head = b"POST /runs/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
    with running(tmp_path) as up, socket.create_connection(("127.0.0.1", int(up.url.rsplit(":", 1)[1]))) as half:
        half.sendall(head)
        assert httpx.get(f"{up.url}/live").text == "alive", "what came before it was taken in"
        at = time.monotonic()
        up.process.send_signal(signal.SIGTERM)
        _, err = up.process.communicate(timeout=60)
    assert up.process.returncode == 0, err
    assert time.monotonic() - at < GRACE + STOP_SECONDS
    assert "/runs/batch was cut off" in err
    assert "Traceback" not in err


def test_sigterm_ends_it_in_order(up: Up) -> None:
    """The last test of this file: it ends what the others use."""
    at = time.monotonic()
    up.process.send_signal(signal.SIGTERM)
    _, err = up.process.communicate(timeout=60)
    assert up.process.returncode == 0, err
    assert time.monotonic() - at < STOP_SECONDS
    assert "Traceback" not in err
    assert not (up.folder / "holder.json").exists()
