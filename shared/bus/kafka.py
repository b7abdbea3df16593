"""The bus on Kafka, through FastStream: many processes of a service share its events.

FastStream's and aiokafka's defaults lose events in a dozen ways. What is set here against it, and why, is at each
option; what can be read back is checked at start (`_check_options`), every other one has a test.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from aiokafka import ConsumerRecord
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from shared.bus import Router
from shared.bus.membership import Membership
from shared.bus.subscription import Subscription
from shared.bus.topics import check_topics
from shared.bus.window import Consumer, Window
from shared.errors import RefusedError, UnavailableError
from shared.events import TOPICS, DeadLetter, Event

log = logging.getLogger(__name__)

PING_SECONDS = 5.0
AWAY_SECONDS = 120.0
CLOSE_SECONDS = 10.0
POLL_SECONDS = 1_800


class KafkaBus:
    """A bus on the brokers `servers` ("host:port,host:port"). A windowed route has up to `slots` events in work.

    A consumer that is silent for `session_timeout` seconds is taken for gone. `publish` gives up after
    `publish_timeout` seconds. `stop` waits up to `grace` seconds for handlers; the event of one that is cancelled
    then comes again. `failed` is set if an event could not even be buried: the process must end (`check` says why).
    """

    def __init__(
        self,
        servers: str,
        *,
        slots: int,
        client_id: str = "insights",
        session_timeout: float = 45.0,
        publish_timeout: float = 15.0,
        grace: float = 40.0,
    ) -> None:
        self.failed = asyncio.Event()
        self._servers = servers
        self._slots = slots
        self._client_id = client_id
        self._session_timeout = session_timeout
        self._publish_timeout = publish_timeout
        self._grace = grace
        self._subscriptions: dict[str, Subscription] = {}
        self._memberships: dict[str, Membership] = {}
        self._broker: KafkaBroker | None = None

    def include_router(self, router: Router, dependencies: Mapping[str, Any]) -> None:
        """Call it before `start`. A ValueError says that a group has two handlers for one event."""
        for route in router.routes:
            subscription = Subscription(route, {**dependencies, "publish": self.publish}, self.failed)
            if subscription.name in self._subscriptions:
                raise ValueError(f"{subscription.name} has two handlers: give one of them a group of its own")
            self._subscriptions[subscription.name] = subscription

    async def start(self) -> None:
        """Return when every consumer is in its group. UnavailableError: Kafka is away, or topics are missing."""
        await self._check_topics()
        self._broker = broker = self._connect()
        for subscription in self._subscriptions.values():
            self._subscribe(broker, subscription)
        _check_options(broker)
        try:
            await broker.start()
        except KafkaError as error:
            await self.stop()
            raise UnavailableError(f"Kafka at {self._servers} does not let us in: {error!r}") from error

    async def stop(self) -> None:
        """Return when no handler runs and what was handled is committed."""
        if (broker := self._broker) is None:
            return
        windows = [membership for membership in self._memberships.values() if isinstance(membership, Window)]
        await asyncio.gather(*(window.drain(self._grace) for window in windows))
        try:
            async with asyncio.timeout(self._grace + CLOSE_SECONDS):
                await broker.stop()
        except TimeoutError:
            log.warning("Kafka did not answer in time at the stop; some events may come again.")
        self._broker = None

    async def publish(self, event: Event | DeadLetter) -> None:
        """Return when every broker that must have the event has it."""
        broker, body = self._started(), event.model_dump_json().encode()
        try:
            async with asyncio.timeout(self._publish_timeout):
                await broker.publish(body, event.topic, key=event.key.encode())
        except TimeoutError as error:
            raise UnavailableError(f"Kafka at {self._servers} did not take an event in time.") from error
        except KafkaError as error:
            kind = UnavailableError if error.retriable else RefusedError
            raise kind(f"Kafka at {self._servers} did not take an event for {event.topic}: {error!r}") from error

    async def check(self) -> None:
        broker = self._started()
        if self.failed.is_set():
            raise UnavailableError("An event could not be delivered (the log says why): restart this process.")
        if not await broker.ping(PING_SECONDS):
            raise UnavailableError(f"Kafka at {self._servers} does not answer: is it running?")
        for name, membership in self._memberships.items():
            if (seconds := membership.away()) > AWAY_SECONDS:
                raise UnavailableError(f"{name} has been out of its group for {seconds:.0f} s: restart this process.")

    async def _check_topics(self) -> None:
        subscribed = [subscription.topic for subscription in self._subscriptions.values()]
        missing = (await check_topics(self._servers, topics=list(dict.fromkeys([*TOPICS, *subscribed])))).missing
        if missing:
            raise UnavailableError(f"Kafka has no {', '.join(missing)}: make them with `insights topics create`.")

    def _started(self) -> KafkaBroker:
        if self._broker is None:
            raise UnavailableError("The bus on Kafka is closed: start it first.")
        return self._broker

    def _connect(self) -> KafkaBroker:
        windowed = any(subscription.windowed for subscription in self._subscriptions.values())
        return KafkaBroker(
            self._servers.split(","),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=False,  # with it, publish and stop hang for ever while Kafka is down
            compression_type="zstd",
            linger_ms=5 if windowed else 0,  # a single publisher pays it with every event
            max_batch_size=131_072,
            request_timeout_ms=int(self._publish_timeout * 1_000),
            retry_backoff_ms=200,
            metadata_max_age_ms=60_000,
            allow_auto_create_topics=False,  # FastStream would make them with one partition
            graceful_timeout=self._grace,  # None or 0 would not wait at all
            apply_types=False,
            parser=_parse,
            decoder=_whole,
            logger=log,
            log_level=logging.DEBUG,
        )

    def _subscribe(self, broker: KafkaBroker, subscription: Subscription) -> None:
        membership, handler, policy = self._runner(subscription)
        self._memberships[subscription.name] = membership
        broker.subscriber(
            subscription.topic,
            group_id=subscription.name,
            ack_policy=policy,  # the default commits before the work is done; a broker's own is not handed down
            auto_offset_reset="earliest",  # the default skips what came before the group's first commit
            no_reply=True,  # else any event's header `reply_to` names a topic to publish to
            listener=membership,
            partition_assignment_strategy=(_assignor(subscription.name),),
            session_timeout_ms=int(self._session_timeout * 1_000),
            heartbeat_interval_ms=int(self._session_timeout * 1_000 / 9),
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=POLL_SECONDS * 1_000,  # one that works longer leaves the group and repeats its event
            max_partition_fetch_bytes=262_144,  # a partition is read to the end of a fetch before the next one
        )(handler)

    def _runner(
        self, subscription: Subscription
    ) -> tuple[Membership, Callable[[KafkaMessage], Awaitable[None]], AckPolicy]:
        """Handlers are `async def`: FastStream would run anything else in a thread."""

        async def work(record: ConsumerRecord) -> None:
            await subscription.deliver(record.value or b"")

        async def handle(message: KafkaMessage) -> None:
            try:
                await work(message.raw_message)
            except Exception:
                log.critical("%s stands still", subscription.name, exc_info=True)
                await asyncio.Event().wait()  # `failed` is set; NACK would repeat it thousands of times a second

        window = Window(work, self.failed, limit=self._slots)

        async def submit(message: KafkaMessage) -> None:
            await window.submit(message.raw_message, cast(Consumer, message.consumer))

        if subscription.windowed:
            return window, submit, AckPolicy.MANUAL
        return Membership(), handle, AckPolicy.NACK_ON_ERROR


def _check_options(broker: KafkaBroker) -> None:
    """An AssertionError at start, rather than lost events: a new FastStream may read the options otherwise."""
    subscribers: Iterable[Any] = broker.subscribers
    for subscriber in subscribers:
        arguments = subscriber._connection_args
        if not (
            subscriber.ack_policy in (AckPolicy.MANUAL, AckPolicy.NACK_ON_ERROR)
            and arguments["enable_auto_commit"] is False
            and arguments["auto_offset_reset"] == "earliest"
            and subscriber._no_reply
        ):
            raise AssertionError(f"The consumer of {subscriber.topic_names} would lose events: {arguments}")


def _assignor(name: str) -> type[StickyPartitionAssignor]:
    """A class of its own for each consumer: aiokafka keeps the assignor's state on the class."""
    return type(f"Sticky {name}", (StickyPartitionAssignor,), {})


async def _parse(record: ConsumerRecord, original: Callable[[ConsumerRecord], Awaitable[KafkaMessage]]) -> KafkaMessage:
    """Headers may be null or not UTF-8; FastStream's parser raises on both and the record would be passed over."""
    headers = tuple((name, (value or b"").decode(errors="replace").encode()) for name, value in record.headers)
    return await original(replace(record, headers=headers))


async def _whole(message: KafkaMessage) -> KafkaMessage:
    """A handler gets the message as it came: its bytes go to Delivery, which alone says what an event is."""
    return message
