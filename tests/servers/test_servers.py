"""The test servers are real enough for the drivers, keep their data over a restart, and leave nothing behind."""

import contextlib
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient

from tests.servers.java import NoServerError, java_command
from tests.servers.kafka import VARIABLE as KAFKA_VARIABLE
from tests.servers.kafka import KafkaServer, kafka_server
from tests.servers.mongo import VARIABLE as MONGO_VARIABLE
from tests.servers.mongo import MongoServer, mongo_server, new_database
from tests.servers.process import Process, answers, free_port

SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
LISTENER = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); " + SLEEPER
OWNER = f"""
import sys, time
from pathlib import Path
from tests.servers.process import Process
port, log = sys.argv[1:]
server = Process([sys.executable, "-c", {LISTENER!r}, port], Path(log))
server.start(lambda: server.printed("ready"))
print("ready", flush=True)
time.sleep(60)
"""


async def create_topic(servers: str) -> str:
    topic = f"test.{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    return topic


async def produce(servers: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def consume_one(servers: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, group_id=topic, auto_offset_reset="earliest")
    async with consumer:
        message = await consumer.getone()
        return message.value  # type: ignore[no-any-return]


async def find_all(url: str) -> list[dict[str, Any]]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url)
    try:
        return await client.get_default_database()["things"].find().sort("_id").to_list()
    finally:
        client.close()


async def insert(url: str, *ids: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url)
    try:
        await client.get_default_database()["things"].insert_many([{"_id": name} for name in ids])
    finally:
        client.close()


async def test_a_kafka_client_reads_in_a_group_what_it_published(kafka_servers: str) -> None:
    topic = await create_topic(kafka_servers)

    await produce(kafka_servers, topic, b"hello")

    assert await consume_one(kafka_servers, topic) == b"hello"


async def test_kafka_keeps_acknowledged_messages_over_a_kill(kafka_broker: KafkaServer) -> None:
    topic = await create_topic(kafka_broker.servers)
    await produce(kafka_broker.servers, topic, b"kept")

    kafka_broker.kill()
    assert not answers(kafka_broker.port)
    kafka_broker.start()

    assert await consume_one(kafka_broker.servers, topic) == b"kept"


async def test_a_mongo_client_finds_what_it_inserted(mongo_url: str) -> None:
    await insert(mongo_url, "a", "b")

    assert await find_all(mongo_url) == [{"_id": "a"}, {"_id": "b"}]


async def test_every_database_is_new(mongo_servers: str, mongo_url: str) -> None:
    await insert(mongo_url, "a")

    assert await find_all(new_database(mongo_servers)) == []


@pytest.mark.parametrize("end", [MongoServer.stop, MongoServer.kill])
async def test_mongo_keeps_acknowledged_writes(mongo_keeper: MongoServer, end: Callable[[MongoServer], None]) -> None:
    url = f"{mongo_keeper.url}/kept"
    await insert(url, "a")

    end(mongo_keeper)
    assert not answers(mongo_keeper.port)
    mongo_keeper.start()

    assert await find_all(url) == [{"_id": "a"}]


@pytest.mark.parametrize(("server", "variable"), [(kafka_server, KAFKA_VARIABLE), (mongo_server, MONGO_VARIABLE)])
def test_a_server_is_gone_after_its_block(
    monkeypatch: pytest.MonkeyPatch, server: Callable[[], AbstractContextManager[str]], variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    try:
        with server() as address:
            port = int(address.rpartition(":")[2])
            assert answers(port)
    except NoServerError as error:
        pytest.skip(str(error))

    assert not answers(port)


def test_a_server_named_in_the_environment_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KAFKA_VARIABLE, "one:9092,two:9092")
    monkeypatch.setenv(MONGO_VARIABLE, "mongodb://mongo:27017/")

    with kafka_server() as servers, mongo_server() as url:
        assert (servers, url) == ("one:9092,two:9092", "mongodb://mongo:27017")


def test_a_missing_tool_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(NoServerError, match=r"java was not found\. Install a JDK"):
        java_command("kafka.Kafka")


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_a_process_ends_when_told(tmp_path: Path, end: Callable[[Process], None]) -> None:
    process = Process([sys.executable, "-c", SLEEPER], tmp_path / "log")
    process.start(lambda: process.printed("ready"))
    assert process.running

    end(process)

    assert not process.running


def test_a_process_that_fails_at_start_is_reported_with_what_it_printed(tmp_path: Path) -> None:
    process = Process([sys.executable, "-c", "raise SystemExit('no room')"], tmp_path / "log")

    with pytest.raises(RuntimeError, match="no room"):
        process.start(lambda: False)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_server_outlives_an_owner_that_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    """A connection to the server ends when the server does."""
    port = free_port()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(port), str(tmp_path / "log")], stdout=subprocess.PIPE)
    with owner, socket.create_connection(("127.0.0.1", _when_ready(owner, port)), timeout=30) as connection:
        owner.send_signal(number)

        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def _when_ready(owner: subprocess.Popen[bytes], port: int) -> int:
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    return port
