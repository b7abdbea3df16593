"""The whole system as it is deployed: real Kafka, MongoDB's protocol, and each service a process of its own.

`make cluster` runs this file: a report through the cluster, and the same through one process, compared byte by byte.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.kafka import kafka_server
from tests.servers.mongo import mongo_server, new_database
from tests.servers.process import Process, free_port

INSIGHTS = str(Path(sys.executable).with_name("insights"))
SERVICES = ("summarizer", "attribute_extractor", "categorizer", "aggregator", "gateway")
# Short, so that a killed process is missed soon.
FAST = {"INSIGHTS_SESSION_TIMEOUT": "6", "INSIGHTS_LEASE_SECONDS": "4", "INSIGHTS_SWEEP_SECONDS": "2"}


@dataclass
class Service:
    """One process of the system; killed, it starts again at the same address."""

    name: str
    port: int
    process: Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when the service says that it is ready."""
        self.process.start(self._is_ready)

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/ready", timeout=5) as answer:
                return int(answer.status) == 200
        except (URLError, OSError):
            return False


@dataclass
class Cluster:
    env: Mapping[str, str]
    services: Mapping[str, Service]
    folder: Path

    def run(self, *arguments: str) -> str:
        """What an `insights` command on this cluster prints; CalledProcessError with what it said."""
        return insights(*arguments, env=self.env)


def insights(*arguments: str, env: Mapping[str, str]) -> str:
    done = subprocess.run([INSIGHTS, *arguments], env=clean(env), capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"insights {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without its INSIGHTS_ settings, and `env`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("INSIGHTS_")} | dict(env)


@contextmanager
def cluster(
    folder: Path, *, kafka: str, mongo: str, names: Sequence[str] = SERVICES, more: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """Services at work on the Kafka at `kafka` (host:port), with topics, and the database `mongo`.

    `more`: settings of theirs besides.
    """
    addresses = {"INSIGHTS_BUS": f"kafka://{kafka}", "INSIGHTS_STORE": mongo, "INSIGHTS_DATA": str(folder / "data")}
    env = addresses | FAST | dict(more or {})
    found = Cluster(env, {name: _service(name, folder, env) for name in names}, folder)
    insights("topics", "create", env=env)
    insights("store", "init", env=env)
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Service.start, found.services.values()))
        yield found
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda service: service.process.stop(), found.services.values()))


def _service(name: str, folder: Path, env: Mapping[str, str]) -> Service:
    port = free_port()
    settings = [f"{key}={value}" for key, value in env.items()]
    command = ["env", *settings, INSIGHTS, "serve", name, "--port", str(port)]
    return Service(name, port, Process(command, folder / f"{name}.log"))


def comparable(path: Path) -> dict[str, Any]:
    """A report without the one thing that may differ between two runs of the same job."""
    report: dict[str, Any] = json.loads(path.read_text())
    del report["created_at"]
    return report


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insights-cluster-")))
        traces = Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "traces.jsonl"
        if len(sys.argv) < 2:
            insights("demo", "--traces", "500", "--out", str(traces), env={})
        print("One process …", flush=True)
        alone, together = folder / "alone.json", folder / "together.json"
        insights("analyze", str(traces), "--json", str(alone), "--data", str(folder / "alone"), env={})
        print("Kafka, MongoDB's protocol and five processes …", flush=True)
        kafka, mongo = stack.enter_context(kafka_server()), stack.enter_context(mongo_server())
        whole = stack.enter_context(cluster(folder, kafka=kafka, mongo=new_database(mongo)))
        print(whole.run("analyze", str(traces), "--json", str(together)))
        same = comparable(alone) == comparable(together)
        print("Both reports are the same." if same else "The reports DIFFER.")
        return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
