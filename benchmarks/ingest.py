"""What it costs to take runs in, durably, from the bodies that LangSmith's own client sends.

Held against the least that keeping them can cost, in the same minute on the same machine: see `peers/run_langsmith.py`.
Short runs are those of the demo; long ones hold as much as a long conversation with its documents.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environment import PEERS, made
from benchmarks.figure import Figure
from insights.demo import generate
from services.gateway.app import make_app
from shared.llm import Prices
from shared.store import connect

SHARE = 0.5
ROUNDS = 5
AT_ONCE = 4  # requests
LONG = 12  # conversations in one
SCRIPT = PEERS / "run_langsmith.py"
LOCK = PEERS.parents[1] / "tests" / "clients" / "langsmith.lock"


def figures(full: bool) -> Iterator[Figure]:
    python = made("langsmith", LOCK)
    traces = 1_000 if full else 200
    short = [run for trace in generate(traces) for run in _flat(trace)]
    long = [_long(short[at : at + LONG]) for at in range(0, len(short), LONG)]
    for name, runs in (("short", short), ("long", long)):
        with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
            yield from _measured(name, runs, python, Path(folder))


def short_bodies(folder: Path) -> tuple[str, list[bytes]]:
    """The Content-Type and the bodies with which LangSmith's client sends the runs of 200 made-up traces."""
    return _sent([run for trace in generate(200) for run in _flat(trace)], made("langsmith", LOCK), folder)


def _sent(runs: list[dict[str, Any]], python: Path, folder: Path) -> tuple[str, list[bytes]]:
    file, bodies = folder / "runs.jsonl", folder / "bodies"
    bodies.mkdir()
    with file.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(run) + "\n" for run in runs)
    content_type = subprocess.check_output([python, SCRIPT, "send", file, bodies], text=True).strip()
    return content_type, [path.read_bytes() for path in sorted(bodies.iterdir())]


def _measured(name: str, runs: list[dict[str, Any]], python: Path, folder: Path) -> Iterator[Figure]:
    content_type, sent = _sent(runs, python, folder)
    ours, least = [], []
    for number in range(ROUNDS):
        ours.append(asyncio.run(_taken_in(sent, content_type, folder / f"{number}.db", len(runs))))
        least.append(float(subprocess.check_output([python, SCRIPT, "keep", folder / "bodies"], text=True)))
    size = sum(map(len, sent)) / len(runs) / 1_000
    label = f"{name} runs of {size:.1f} kB"
    yield Figure(f"{label}: speed as a share of the least work", min(least) / min(ours), SHARE)
    yield Figure(f"{label}: taken in durably", len(runs) / min(ours), unit="runs/s")


async def _taken_in(bodies: list[bytes], content_type: str, file: Path, expected: int) -> float:
    """Seconds until every body has been answered, by the application without a network, AT_ONCE at a time."""
    store = await connect(f"sqlite:///{file}")

    async def publish(event: Any) -> None:
        raise AssertionError("runs are no events")

    app = make_app(store, publish, store.check, prices=Prices.load())
    waiting = iter(bodies)
    answers: list[dict[str, Any]] = []

    async def send() -> None:
        for body in waiting:
            answers.append(await _posted(app, body, content_type))

    try:
        begun = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        ended = time.perf_counter()
    finally:
        await store.close()
    if (taken := sum(answer["runs"] for answer in answers)) != expected:
        raise RuntimeError(f"{taken} of {expected} runs were taken in")
    return ended - begun


async def _posted(app: Any, body: bytes, content_type: str) -> dict[str, Any]:
    """The answer of the application, called as a server calls it."""
    answer = bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answer.extend(message.get("body", b""))

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/runs/multipart",
        "raw_path": b"/runs/multipart",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
        ],
    }
    await app(scope, receive, send)
    found: dict[str, Any] = json.loads(answer)
    return found


def _flat(trace: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield trace
    for child in trace.get("child_runs", []):
        yield from _flat(child)


def _long(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The first of them, with what they all hold."""
    return runs[0] | {name: {"all": [run[name] for run in runs]} for name in ("inputs", "outputs")}
