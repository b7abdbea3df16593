"""The stand-in for a model's endpoint, and what a client of it asked: every client is counted alike."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from insights.fake_model.tokens import O200K, counted_by
from tests.servers.fake_model import FakeModelServer

EMBEDDERS = "text-embedding"  # how the names of embedding models begin
INSIGHTS = (sys.executable, "-c", "from insights.main import main; main()")  # of this checkout


@dataclass(frozen=True, slots=True)
class Spent:
    """On chat completions: what the stand-in saw. `embedded` are the tokens of embeddings, in none of the others."""

    calls: int
    prompt: int
    completion: int
    embedded: int

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion


class Counted:
    """The stand-in while it runs."""

    def __init__(self, server: FakeModelServer) -> None:
        self._server = server

    def analyze(self, file: Path) -> Spent:
        """What `insights analyze --engine model` asks for a file of traces, with its defaults and nothing kept."""
        data = file.with_suffix("")
        data.mkdir()
        options = ["--engine", "model", "--base-url", self._server.base_url, "--data", str(data)]
        return self.run([*INSIGHTS, "analyze", str(file), *options, "--json", str(data / "report.json")])

    def run(self, command: Sequence[str | Path]) -> Spent:
        """What the command asks. RuntimeError where it fails, or asks something that is not answered well."""
        httpx.post(f"{self._server.url}/stats/reset").raise_for_status()
        environment = {**os.environ, "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": self._server.base_url}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} failed: {done.stderr[-2_000:]}")
        return self._spent()

    def _spent(self) -> Spent:
        stats = self._server.stats()
        if bad := {status: n for status, n in stats["by_status"].items() if status != "200"}:
            raise RuntimeError(f"The stand-in answered otherwise than by 200: {bad}")
        vectors = [one for name, one in stats["by_model"].items() if name.startswith(EMBEDDERS)]
        embedded = sum(one["prompt_tokens"] for one in vectors)
        return Spent(
            sum(one["calls"] for one in stats["by_model"].values()) - sum(one["calls"] for one in vectors),
            stats["prompt_tokens"] - embedded,
            stats["completion_tokens"],
            embedded,
        )


@contextmanager
def counted(folder: Path) -> Iterator[Counted]:
    """RuntimeError where o200k's table is not installed: an estimate may favour one of two clients."""
    if counted_by() != O200K:
        raise RuntimeError("Tokens would be estimated: make install-dev")
    server = FakeModelServer(folder)
    server.start()
    try:
        yield Counted(server)
    finally:
        server.stop()
