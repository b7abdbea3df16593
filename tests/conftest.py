"""What every test gets: a clean environment, no way to other machines; and, where asked for, real servers."""

import os
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pymongo import MongoClient

from tests.servers.java import NoServerError
from tests.servers.kafka import VARIABLE as KAFKA_VARIABLE
from tests.servers.kafka import KafkaServer, kafka_server
from tests.servers.mongo import VARIABLE as MONGO_VARIABLE
from tests.servers.mongo import MongoServer, mongo_server, new_database
from tests.servers.process import free_port

T = TypeVar("T")
Server = TypeVar("Server", KafkaServer, MongoServer)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged may hold half characters, which xdist can't hand to the process that prints."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests, and no key."""
    for name in list(os.environ):
        if name.startswith(("INSIGHTS_", "OPENAI_")) and not name.startswith("INSIGHTS_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would reach another machine fails, unless that is where the named test servers are."""
    if os.environ.get(KAFKA_VARIABLE) or os.environ.get(MONGO_VARIABLE):
        return
    monkeypatch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))


def _guarded(connect: Callable[[socket.socket, Any], T]) -> Callable[[socket.socket, Any], T]:
    def guarded(self: socket.socket, address: Any) -> T:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise RuntimeError(f"A test may not connect to {address[0]}: use a fake, or a server on 127.0.0.1.")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def have(server: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """What the context manager gives. Where it gives none: skipped on a developer's machine, failed in CI."""
    try:
        with server() as found:
            yield found
    except NoServerError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka_servers() -> Iterator[str]:
    """`host:port` of a real Kafka that all tests share: use topics and groups of your own."""
    yield from have(kafka_server)


@pytest.fixture(scope="session")
def mongo_servers() -> Iterator[str]:
    """`mongodb://host:port`, shared by all tests; most want `mongo_url`."""
    yield from have(mongo_server)


@pytest.fixture
def mongo_url(mongo_servers: str) -> Iterator[str]:
    """The URL of an empty database of this test's own, dropped afterwards."""
    url = new_database(mongo_servers)
    yield url
    with MongoClient[dict[str, Any]](url) as client:
        client.drop_database(client.get_default_database().name)


@pytest.fixture
def kafka_broker(tmp_path: Path) -> Iterator[KafkaServer]:
    """A started broker of this test's own, which the test may stop, kill and start again."""
    yield from have(lambda: running(KafkaServer(free_port(), tmp_path)))


@pytest.fixture
def mongo_keeper(tmp_path: Path) -> Iterator[MongoServer]:
    """A started MongoDB of this test's own that keeps its data, which the test may stop, kill and start again."""
    yield from have(lambda: running(MongoServer(free_port(), tmp_path, tmp_path / "mongo.h2")))


@contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()
