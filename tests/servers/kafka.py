"""A real Kafka for tests: the one that INSIGHTS_TEST_KAFKA names, a container, or the broker's jars from Maven."""

import os
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.docker import container, docker_answers
from tests.servers.java import java_command, run
from tests.servers.process import Process, answers, free_port

VARIABLE = "INSIGHTS_TEST_KAFKA"
IMAGE = "apache/kafka:4.1.0"
PROPERTIES = Path(__file__).with_name("server.properties")


class KafkaServer:
    """One broker on 127.0.0.1:`port`, its data in `folder`: stopped or killed, it starts again where it was.

    `properties`: its own ones, with that port. NoServerError without Java; see `tests/servers/java.py`.
    """

    def __init__(self, port: int, folder: Path, properties: str | None = None) -> None:
        self.port = port
        self._given = properties
        self._folder = folder
        self._properties = folder / "server.properties"
        self._process = Process(java_command("kafka.Kafka", str(self._properties)), folder / "kafka.log")

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process.running

    def start(self) -> None:
        """Return when clients may connect."""
        if not self._properties.exists():
            self._format()
        self._process.start(lambda: answers(self.port))

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def _format(self) -> None:
        """The properties, and an empty log with the cluster's id."""
        draft = self._folder / "draft.properties"
        draft.write_text(self._given or _properties(self.port, "127.0.0.1", str(self._folder / "logs")))
        # The first byte is 0, so that the id never begins with a dash, which would be read as an option.
        cluster = urlsafe_b64encode(bytes(1) + uuid.uuid4().bytes[1:]).rstrip(b"=").decode()
        run(*java_command("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(draft)))
        draft.rename(self._properties)


@contextmanager
def kafka_server() -> Iterator[str]:
    """`host:port` of a Kafka that is gone afterwards, unless it is somebody else's. NoServerError if there is none."""
    if servers := os.environ.get(VARIABLE):
        yield servers
    elif docker_answers():
        with _container() as servers:
            yield servers
    else:
        with tempfile.TemporaryDirectory(prefix="insights-kafka-", ignore_cleanup_errors=True) as folder:
            server = KafkaServer(free_port(), Path(folder))
            try:
                server.start()
                yield server.servers
            finally:
                server.kill()  # its data goes with it: nothing to put in order


@contextmanager
def _container() -> Iterator[str]:
    """The image reads a variable for each property."""
    port = free_port()
    lines = _properties(port, "0.0.0.0", "/tmp/kafka").splitlines()
    properties = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    env = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
    with container(IMAGE, port, inside=port, env=env, line="Kafka Server started"):
        yield f"127.0.0.1:{port}"


def _properties(port: int, host: str, logs: str) -> str:
    return PROPERTIES.read_text().format(port=port, controller=free_port(), host=host, logs=logs)
