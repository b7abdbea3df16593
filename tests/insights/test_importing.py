"""`insights import` beside a running gateway: the same runs in the same order, in bodies that it takes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from insights.folder import locked
from insights.importing import BATCH_BYTES, BATCH_RUNS
from tests.insights.command import Outcome, insights

LIMIT = 2 * BATCH_BYTES  # bytes of one body; what is larger is refused, as the real one does


class Gateway(ThreadingHTTPServer):
    """What was sent to it. It refuses runs whose id is `bad`, and bodies over LIMIT."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.bodies: list[dict[str, list[dict[str, Any]]]] = []
        self.sizes: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if len(content) > LIMIT:
            self._say(413, {"detail": "too large"})
            return
        body = json.loads(content.decode("utf-8"))
        self.server.bodies.append(body)
        self.server.sizes.append(len(content))
        runs = [run for listed in body.values() for run in listed]
        bad = ["it is bad" for run in runs if run["id"] == "bad"]
        self._say(202, {"runs": len(runs) - len(bad), "refused": len(bad), "reasons": bad})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: standard error is the test's."""


@contextmanager
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def send(folder: Path, *records: dict[str, Any], ascii_: bool = True) -> tuple[Outcome, Gateway]:
    file = folder / "runs.jsonl"
    file.write_text("".join(json.dumps(one, ensure_ascii=ascii_) + "\n" for one in records), encoding="utf-8")
    with gateway() as server, locked(folder, "up", url=server.url):
        return insights("import", file, "--project", "shop", "--data", folder), server


def run(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "inputs": {"q": "?"}, **fields}


def test_whole_runs_are_sent_to_replace_and_parts_to_be_merged(tmp_path: Path) -> None:
    """A correction of a run must win, beside `up` as without it."""
    outcome, server = send(
        tmp_path,
        run("a"),
        run("b", operation="post"),
        {"id": "b", "operation": "patch", "outputs": {"a": "!"}},
        run("b", inputs={"q": "corrected"}),
        run("a", inputs={"q": "corrected"}),
    )
    assert (outcome.code, outcome.out) == (0, "Project shop has 5 runs of runs.jsonl.\n"), outcome.err
    sent = [{operation: [one["id"] for one in runs] for operation, runs in body.items()} for body in server.bodies]
    assert sent == [{"run": ["a"]}, {"post": ["b"], "patch": ["b"]}, {"run": ["b", "a"]}]
    assert {one["session_name"] for body in server.bodies for runs in body.values() for one in runs} == {"shop"}


def test_posts_and_patches_in_turn_share_batches(tmp_path: Path) -> None:
    """Their order does not count, and a batch each would be a durable write each."""
    records: list[dict[str, Any]] = [
        {"id": str(n // 2), "inputs": {}, "operation": ("post", "patch")[n % 2]} for n in range(BATCH_RUNS + 1)
    ]
    _, server = send(tmp_path, *records)
    assert [sum(map(len, body.values())) for body in server.bodies] == [BATCH_RUNS, 1]


def test_text_that_is_longer_as_ascii_stays_below_the_limit(tmp_path: Path) -> None:
    """As ASCII each of these is three times as long as in the file."""
    texts = [f"{n}" + "é" * (BATCH_BYTES // 5) for n in range(6)]
    outcome, server = send(tmp_path, *(run(str(n), inputs={"q": text}) for n, text in enumerate(texts)), ascii_=False)
    assert "has 6 runs of" in outcome.out, outcome.err
    assert max(server.sizes) <= BATCH_BYTES + 1_000
    assert [one["inputs"]["q"] for body in server.bodies for one in body["run"]] == texts


def test_what_the_gateway_refuses_is_counted_with_its_reason(tmp_path: Path) -> None:
    outcome, _ = send(tmp_path, run("good"), run("bad"))
    assert outcome.code == 0
    assert "Project shop has 1 run of runs.jsonl." in outcome.out
    assert "Refused: 1 run, the first because: it is bad" in outcome.out


def test_one_run_that_is_too_large_does_not_stop_the_others(tmp_path: Path) -> None:
    outcome, server = send(tmp_path, run("a"), run("large", inputs={"q": "x" * LIMIT}), run("b"))
    assert "2 runs of runs.jsonl" in outcome.out
    assert "Refused: 1 run, the first because: it is larger" in outcome.out
    assert [one["id"] for body in server.bodies for one in body["run"]] == ["a", "b"]


@pytest.mark.parametrize("name", ["\ud800", "a\ud83dz"])
def test_an_id_or_text_that_is_half_a_character_arrives_as_it_is_read(tmp_path: Path, name: str) -> None:
    """Its UUID, which is made of the original, not of what is kept to be shown."""
    _, server = send(tmp_path, run(name, inputs={"q": name}))
    [sent] = server.bodies[0]["run"]
    assert len(sent["id"]) == 36
    assert sent["inputs"] == {"q": name}


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_name_that_the_gateway_would_change_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(json.dumps(run("a")))
    outcome = insights("import", file, "--project", name, "--data", tmp_path)
    assert outcome.code == 2
    assert "--project" in outcome.err
