"""`insights fake-model` beside a test: in its event loop, or as a process of its own that can be killed."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from insights.fake_model.app import FakeModel
from insights.fake_model.options import Options
from insights.fake_model.serving import running
from tests.servers.process import Process, free_port

_COMMAND = "from insights.main import main; main()"  # of this checkout, which the console script need not be


@dataclass(frozen=True)
class Endpoint:
    """`url` is the root, `base_url` what an OpenAI client is given."""

    url: str
    model: FakeModel

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def stats(self) -> dict[str, Any]:
        return self.model.counters.figures()


@asynccontextmanager
async def endpoint(options: Options | None = None) -> AsyncIterator[Endpoint]:
    """In the event loop of the test."""
    model = FakeModel(options or Options())
    async with running(model) as url:
        yield Endpoint(url, model)


class FakeModelServer:
    """As a process of its own on a port that it keeps; `options` are those of the command line."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.log = folder / f"fake-model-{self.port}.log"
        command = [sys.executable, "-c", _COMMAND, "fake-model", "--port", str(self.port), *options]
        self._process = Process(command, self.log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def start(self) -> None:
        self._process.start(lambda: self._process.printed(f"fake-model: ready on {self.url}"))

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def stats(self) -> dict[str, Any]:
        figures: dict[str, Any] = httpx.get(f"{self.url}/stats", timeout=60).json()
        return figures
