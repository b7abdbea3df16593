"""MongoDB for tests: the one that INSIGHTS_TEST_MONGO names, a container, or its protocol by a Java library."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.docker import container, docker_answers
from tests.servers.java import java_command
from tests.servers.process import Process, free_port

VARIABLE = "INSIGHTS_TEST_MONGO"
IMAGE = "mongo:7.0.28"


class MongoServer:
    """MongoDB's protocol on 127.0.0.1:`port`; with `file`, what a client was told is written outlives stop and kill.

    Its log is in `folder`. NoServerError without Java; see `tests/servers/java.py`.
    """

    def __init__(self, port: int, folder: Path, file: Path | None = None) -> None:
        self.port = port
        arguments = [str(port), *([str(file)] if file else [])]
        self._process = Process(java_command("MongoTestServer", *arguments), folder / "mongo.log")

    @property
    def url(self) -> str:
        """Without a database."""
        return f"mongodb://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process.running

    def start(self) -> None:
        """Return when clients may connect."""
        self._process.start(lambda: self._process.printed("listening"))

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()


@contextmanager
def mongo_server() -> Iterator[str]:
    """`mongodb://host:port`, gone afterwards unless it is somebody else's. NoServerError if there is none."""
    if url := os.environ.get(VARIABLE):
        yield url.rstrip("/")
    elif docker_answers():
        port = free_port()
        with container(IMAGE, port, inside=27017, env={}, line="Waiting for connections"):
            yield f"mongodb://127.0.0.1:{port}"
    else:
        with tempfile.TemporaryDirectory(prefix="insights-mongo-", ignore_cleanup_errors=True) as folder:
            server = MongoServer(free_port(), Path(folder))
            try:
                server.start()
                yield server.url
            finally:
                server.kill()


def new_database(server: str) -> str:
    """The URL of a database on `server` that nobody else uses."""
    address, _, query = server.partition("?")
    return f"{address.rstrip('/')}/insights_{uuid.uuid4().hex[:12]}{'?' if query else ''}{query}"
