"""The topics on Kafka: `insights topics create` makes them, a bus checks them at its start.

An item topic gets the number of partitions that is asked for; it caps the processes of a stage, not the events in
work. A job topic gets at most JOB_PARTITIONS, since jobs are few, and dead letters get one.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_delay, wait_fixed

from shared.errors import RefusedError, UnavailableError
from shared.events import TOPICS, DeadLetter

JOB_PARTITIONS = 6
CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class TopicCheck:
    """Topics that are missing; and those with too few partitions, with the number that they have."""

    missing: tuple[str, ...]
    short: dict[str, int]


def partitions_of(topic: str, partitions: int) -> int:
    if topic == DeadLetter.topic:
        return 1
    return min(partitions, JOB_PARTITIONS) if topic.startswith("insights.job.") else partitions


async def create_topics(servers: str, partitions: int, replication: int, topics: Sequence[str] = TOPICS) -> list[str]:
    """Make those that are missing; their names. Topics that exist stay as they are, with what they hold.

    Raises UnavailableError, and RefusedError where Kafka does not make one (such as more copies than brokers).
    """
    missing = (await check_topics(servers, topics=topics)).missing
    async with _admin(servers) as admin:
        made = [_new_topic(topic, partitions_of(topic, partitions), replication) for topic in missing]
        response = await admin.create_topics(made) if made else None
    for topic, code, message in response.topic_errors if response else ():
        if code not in (0, TopicAlreadyExistsError.errno):
            raise RefusedError(f"Kafka does not make {topic}: {message or for_code(code).description}")
    await _wait_for(servers, missing)
    return list(missing)


async def check_topics(servers: str, partitions: int = 1, topics: Sequence[str] = TOPICS) -> TopicCheck:
    """What `create_topics` with these arguments would find wanting. Raises UnavailableError within seconds."""
    async with _admin(servers) as admin:
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    missing = tuple(topic for topic in topics if topic not in found)
    short = {topic: found[topic] for topic in topics if 0 < found.get(topic, 0) < partitions_of(topic, partitions)}
    return TopicCheck(missing, short)


def _new_topic(topic: str, partitions: int, replication: int) -> NewTopic:
    """With three copies or more, one may be away and two must have an event before it counts as published."""
    configs = {"min.insync.replicas": "2"} if replication > 2 else {}
    return NewTopic(topic, num_partitions=partitions, replication_factor=replication, topic_configs=configs)


async def _wait_for(servers: str, topics: Sequence[str]) -> None:
    """Brokers learn of a new topic a moment after it was made."""
    missing = retry_if_result(lambda check: bool(check.missing))
    try:
        await AsyncRetrying(retry=missing, stop=stop_after_delay(10), wait=wait_fixed(0.1))(
            check_topics, servers, topics=topics
        )
    except RetryError as error:
        raise UnavailableError(
            f"Kafka at {servers} took {', '.join(topics)} but does not show it: try again."
        ) from error


@asynccontextmanager
async def _admin(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=int(CONNECT_SECONDS * 1_000))
    try:
        await admin.start()
        yield admin
    except (KafkaError, TimeoutError) as error:
        raise UnavailableError(
            f"Kafka at {servers} does not answer: is it running, and is this its address?"
        ) from error
    finally:
        await admin.close()
