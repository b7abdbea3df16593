"""The twelve ways in which FastStream's and aiokafka's defaults lose events, each with a test that carries its number.

Trap 3 (earliest) and 5 (no hot loop) are in `test_bus.py`, 7 (commits during a rebalance) also in
`tests/shared/test_window.py`.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.bus.kafka import KafkaBus, _check_options
from shared.bus.topics import check_topics, create_topics, partitions_of
from shared.errors import RefusedError, UnavailableError
from shared.events import TOPICS, ItemEvent
from tests.contract.bus_world import PATIENCE, AnyBus, KafkaWorld, Seen, item
from tests.contract.test_bus import record
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port


@pytest.fixture
async def world(kafka_servers: str) -> AsyncIterator[KafkaWorld]:
    world = KafkaWorld(kafka_servers)
    yield world
    await world.close()


@asynccontextmanager
async def producer(servers: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def subscribers(world: KafkaWorld) -> list[Any]:
    """A windowed one and one that runs an event at a time."""
    routers = [record(await world.event(), Seen(), windowed=windowed) for windowed in (True, False)]
    bus = cast(KafkaBus, await world.start(*routers))
    assert bus._broker is not None
    return list(bus._broker.subscribers)


async def committed(world: KafkaWorld, group: str, topic: str) -> int:
    """The sum of the group's offsets: as many events as will not come again."""
    consumer = AIOKafkaConsumer(bootstrap_servers=world.servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        return sum([await consumer.committed(TopicPartition(topic, partition)) or 0 for partition in (0, 1)])
    finally:
        await consumer.stop()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ack_policy": AckPolicy.ACK, "auto_offset_reset": "earliest", "no_reply": True},
        {"ack_policy": AckPolicy.MANUAL, "auto_offset_reset": "latest", "no_reply": True},
        {"ack_policy": AckPolicy.MANUAL, "auto_offset_reset": "earliest", "no_reply": False},
    ],
    ids=["defaults", "acks failures", "latest", "replies"],
)
def test_trap_1_and_4_a_consumer_that_would_lose_events_stops_the_start(options: dict[str, Any]) -> None:
    broker = KafkaBroker("127.0.0.1:1")

    async def handle(body: bytes) -> None:
        """Never runs."""

    broker.subscriber("topic", group_id="group", **options)(handle)
    with pytest.raises(AssertionError, match="would lose events"):
        _check_options(broker)


async def test_trap_2_every_consumer_of_a_router_commits_after_the_work(world: KafkaWorld) -> None:
    found = await subscribers(world)
    assert {subscriber.ack_policy for subscriber in found} == {AckPolicy.MANUAL, AckPolicy.NACK_ON_ERROR}
    for subscriber in found:
        assert subscriber.consumer._enable_auto_commit is False


async def test_trap_6_a_handler_may_work_for_half_an_hour(world: KafkaWorld) -> None:
    for subscriber in await subscribers(world):
        assert subscriber._connection_args["max_poll_interval_ms"] == 30 * 60 * 1_000


async def test_each_consumer_has_an_assignor_of_its_own(world: KafkaWorld) -> None:
    """aiokafka keeps its state on the class."""
    first, second = [
        subscriber._connection_args["partition_assignment_strategy"] for subscriber in await subscribers(world)
    ]
    assert len(first) == len(second) == 1
    assert first[0] is not second[0]


@pytest.mark.timeout(180)
async def test_trap_7_and_8_killed_workers_lose_no_event(world: KafkaWorld) -> None:
    """Of three workers one is killed in the midst of ten events, another one joins: every event is handled."""
    event = await world.event()
    ids = [str(n) for n in range(400)]
    async with producer(world.servers) as sender:
        for item_id in ids:
            await sender.send(event.topic, item(event, item_id).model_dump_json().encode())
    async with AsyncExitStack() as stack:
        seen = Seen()
        first, second = [await stack.enter_async_context(worker(world.servers, event.topic, seen)) for _ in range(2)]
        await seen.reach(20)
        first.kill()
        await stack.enter_async_context(worker(world.servers, event.topic, seen))
        await seen.reach(100)
        second.kill()
        await seen.reach(ids)


@asynccontextmanager
async def worker(servers: str, topic: str, seen: Seen) -> AsyncIterator[Process]:
    """A process whose handled items go to `seen`."""
    module = ("-m", "tests.contract.bus_worker")
    process = await asyncio.create_subprocess_exec(sys.executable, *module, servers, topic, stdout=PIPE)
    reader = asyncio.create_task(_read(process, seen))
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reader


async def _read(process: Process, seen: Seen) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        await seen.add(line.decode().strip())


@pytest.mark.parametrize("windowed", [False, True])
async def test_what_was_handled_is_committed_at_the_stop(world: KafkaWorld, windowed: bool) -> None:
    event, seen = await world.event(), Seen()
    bus = await world.start(record(event, seen, windowed=windowed))
    for n in range(10):
        await bus.publish(item(event, str(n)))
    await seen.reach(10)
    await bus.stop()
    assert await committed(world, f"group.{event.topic.removeprefix('insights.')}", event.topic) == 10


@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize(
    ("value", "headers"),
    [(None, []), (b"\xff\xfe", []), (b"", [("a", None)]), (b"no", [("a", b"\xff")]), (b"no", [("reply_to", b"\xff")])],
    ids=["null value", "no UTF-8", "null header", "header without UTF-8", "reply_to without UTF-8"],
)
async def test_trap_9_a_record_that_is_no_event_becomes_a_dead_letter(
    world: KafkaWorld, value: bytes | None, headers: list[Any], windowed: bool
) -> None:
    event, seen = await world.event(), Seen()
    await world.start(record(event, seen, windowed=windowed))
    async with producer(world.servers) as sender:
        await sender.send_and_wait(event.topic, value, key=b"key", partition=0, headers=headers)
        await sender.send_and_wait(event.topic, item(event, "next").model_dump_json().encode(), partition=0)
    letter = await world.dead_letter(event.topic)
    await seen.reach(["next"])
    assert letter.body == (value or b"").decode(errors="replace")


async def test_trap_9_an_event_with_odd_headers_is_handled(world: KafkaWorld) -> None:
    event, seen = await world.event(), Seen()
    await world.start(record(event, seen))
    async with producer(world.servers) as sender:
        for number, value in enumerate((None, b"\xff\xff", b"fine")):
            body = item(event, str(number)).model_dump_json().encode()
            await sender.send_and_wait(event.topic, body, headers=[("content-type", value)])
    await seen.reach(["0", "1", "2"])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("windowed", [False, True])
async def test_trap_10_a_kafka_that_goes_away_is_waited_for(kafka_broker: KafkaServer, windowed: bool) -> None:
    """`publish` gives up in time, `check` tells, everything goes on when Kafka is back; `stop` ends without it."""
    world = KafkaWorld(kafka_broker.servers, publish_timeout=2.0)
    event, seen = await world.event(), Seen()
    bus = await world.start(record(event, seen, windowed=windowed), grace=2.0)
    await bus.publish(item(event, "before"))
    await seen.reach(["before"])
    await asyncio.to_thread(kafka_broker.kill)
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(bus.publish(item(event, "lost")), 5)
    with pytest.raises(UnavailableError, match="does not answer"):
        await bus.check()
    await asyncio.to_thread(kafka_broker.start)
    await _publish_when_it_is_back(bus, item(event, "after"))
    await seen.reach(["after"])
    await bus.check()
    await asyncio.to_thread(kafka_broker.kill)
    await asyncio.wait_for(bus.stop(), 30)


async def _publish_when_it_is_back(bus: AnyBus, event: ItemEvent) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await bus.publish(event)
            except UnavailableError:
                continue


async def test_trap_11_no_kafka_at_the_start_ends_it_within_seconds() -> None:
    bus, begun = KafkaBus(f"127.0.0.1:{free_port()}", slots=1), monotonic()
    with pytest.raises(UnavailableError, match="is it running"):
        await bus.start()
    assert monotonic() - begun < 10
    await bus.stop()


async def test_trap_12_no_event_makes_the_bus_publish_elsewhere(world: KafkaWorld) -> None:
    """Nothing comes to the topic that an event's header `reply_to` names."""
    event, target, seen = await world.event(), await world.event(), Seen()
    await world.start(record(event, seen))
    async with producer(world.servers) as sender:
        for item_id in "ab":
            body = item(event, item_id).model_dump_json().encode()
            await sender.send_and_wait(event.topic, body, headers=[("reply_to", target.topic.encode())])
    await seen.reach(["a", "b"])
    partitions = [TopicPartition(target.topic, number) for number in (0, 1)]
    consumer = AIOKafkaConsumer(bootstrap_servers=world.servers)
    await consumer.start()
    ends = await consumer.end_offsets(partitions)
    await consumer.stop()
    assert set(ends.values()) == {0}


async def test_trap_12_the_stop_waits_for_handlers_even_without_a_setting() -> None:
    broker = KafkaBus("127.0.0.1:1", slots=1)._connect()
    assert broker.config.graceful_timeout


async def test_missing_topics_stop_the_start_and_are_named(world: KafkaWorld) -> None:
    event = type("Tested", (ItemEvent,), {"topic": "insights.item.nobody-made-it", "__module__": __name__})
    with pytest.raises(UnavailableError, match=r"insights\.item\.nobody-made-it.*insights topics create"):
        await world.start(record(event, Seen()))


async def test_an_event_that_is_too_large_is_refused(world: KafkaWorld) -> None:
    event = await world.event()
    bus = await world.start()
    huge = event.model_construct(workspace_id="w", job_id="j", item_id="x" * 2_000_000)
    with pytest.raises(RefusedError, match="TooLarge"):
        await bus.publish(huge)


async def test_topics_are_made_once_and_checked(kafka_servers: str) -> None:
    topics = [f"insights.item.{free_port()}-{monotonic()}", f"insights.job.{free_port()}-{monotonic()}"]
    assert (await check_topics(kafka_servers, topics=topics)).missing == tuple(topics)
    assert await create_topics(kafka_servers, 8, 1, topics) == topics
    assert await create_topics(kafka_servers, 8, 1, topics) == []
    assert (await check_topics(kafka_servers, 8, topics)).short == {}
    assert (await check_topics(kafka_servers, 9, topics)).short == {topics[0]: 8}


async def test_more_copies_than_brokers_are_refused_with_a_sentence(kafka_servers: str) -> None:
    with pytest.raises(RefusedError, match=r"Kafka does not make insights\.item\.copies"):
        await create_topics(kafka_servers, 1, 30, ["insights.item.copies"])


def test_every_topic_has_a_number_of_partitions() -> None:
    found = {topic: partitions_of(topic, 12) for topic in TOPICS}
    assert found["insights.item.sampled"] == 12
    assert found["insights.job.ready"] == 6
    assert found["insights.dead"] == 1
