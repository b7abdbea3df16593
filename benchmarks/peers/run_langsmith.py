"""Runs in an environment of LangSmith's client: what it sends for runs, and the least that keeping that can cost.

    python run_langsmith.py send RUNS.jsonl FOLDER      its requests' bodies as files; their Content-Type is printed
    python run_langsmith.py keep FOLDER                 seconds of the fastest of ROUNDS

To keep: orjson reads each part, and SQLite gets the raw bytes of each run in one INSERT, in one transaction a request,
with a write-ahead log and synchronous=NORMAL. Splitting the parts is not timed.
"""

import itertools
import json
import re
import sqlite3
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from langsmith import Client

ROUNDS = 5
INFO = {
    "version": "0.18.0",
    "batch_ingest_config": {
        "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 20_971_520,
        "scale_up_qsize_trigger": 1_000, "scale_up_nthreads_limit": 1, "scale_down_nempty_trigger": 4,
    },
}  # fmt: skip
SENT = ("name", "run_type", "trace_id", "dotted_order", "parent_run_id", "start_time", "end_time", "outputs", "extra")


def send(file: Path, folder: Path) -> str:
    types: set[str] = set()
    numbers = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(json.dumps(INFO).encode())

        def do_POST(self) -> None:
            types.add(self.headers["Content-Type"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            (folder / f"{next(numbers):04}").write_bytes(body)
            self._answer(b"{}")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Client(api_url=f"http://127.0.0.1:{server.server_port}", api_key="none")
    for line in file.open(encoding="utf-8"):
        run = json.loads(line)
        fields = {name: run.get(name) for name in SENT}
        client.create_run(id=UUID(run["id"]), inputs=run["inputs"], project_name="bench", **fields)
    client.flush()
    [content_type] = types
    return content_type


def keep(folder: Path) -> float:
    bodies = [_parts(path.read_bytes()) for path in sorted(folder.iterdir())]
    rows = [[(b"".join(run),) for run in runs] for runs in bodies]
    return min(_seconds(bodies, rows) for _ in range(ROUNDS))


def _seconds(bodies: list[list[list[bytes]]], rows: list[list[tuple[bytes]]]) -> float:
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
        database = sqlite3.connect(Path(folder) / "runs.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE runs (body BLOB)")
        begun = time.perf_counter()
        for runs, raw in zip(bodies, rows, strict=True):
            for run in runs:
                for part in run:
                    orjson.loads(part)
            database.execute("BEGIN")
            database.executemany("INSERT INTO runs VALUES (?)", raw)
            database.execute("COMMIT")
        return time.perf_counter() - begun


def _parts(body: bytes) -> list[list[bytes]]:
    """The JSON of each part, by run."""
    runs: list[list[bytes]] = []
    boundary = body[: body.index(b"\r\n")]
    for part in body.split(boundary)[1:-1]:
        header, _, text = part.partition(b"\r\n\r\n")
        if re.search(rb'name="(post|patch)\.[^.]*"', header):
            runs.append([])
        runs[-1].append(text.removesuffix(b"\r\n"))
    return runs


if __name__ == "__main__":
    if sys.argv[1] == "send":
        print(send(Path(sys.argv[2]), Path(sys.argv[3])))
    else:
        print(keep(Path(sys.argv[2])))
