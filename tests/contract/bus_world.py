"""What the tests of the buses stand on: a store in memory, events with their own topics, a world for each bus."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from shared.bus import Router
from shared.bus.kafka import KafkaBus
from shared.bus.local import LocalBus
from shared.bus.topics import create_topics
from shared.errors import UnavailableError
from shared.events import DeadLetter, Event, ItemEvent
from shared.job_config import JobConfig
from shared.models import ItemState, Job, JobState

PATIENCE = 40
AnyBus = LocalBus | KafkaBus


@dataclass
class FakeStore:
    """The methods that an ending needs; `error` is raised by each of them. While `missing`, it has no job."""

    items: dict[str, tuple[ItemState, str | None]] = field(default_factory=dict)
    jobs: dict[str, tuple[JobState, str | None]] = field(default_factory=dict)
    error: Exception | None = None
    missing: bool = False

    async def move_item(
        self,
        workspace_id: str,
        job_id: str,
        item_id: str,
        origin: Collection[ItemState],
        target: ItemState,
        **more: Any,
    ) -> bool:
        self._refuse()
        self.items[item_id] = (target, more.get("reason"))
        return True

    async def item(self, workspace_id: str, job_id: str, item_id: str) -> object:
        self._refuse()
        return self.items.get(item_id)

    async def move_job(
        self, workspace_id: str, job_id: str, origin: Collection[JobState], target: JobState, **more: Any
    ) -> bool:
        self._refuse()
        if not self.missing and self.jobs.get(job_id, (JobState.RUNNING, None))[0] in origin:
            self.jobs[job_id] = (target, more.get("error"))
        return not self.missing

    async def job(self, workspace_id: str, job_id: str) -> Job | None:
        self._refuse()
        if job_id not in self.jobs:
            return None
        state, error = self.jobs[job_id]
        known = {"project_id": "p", "name": "", "created_at": 0, "received_before": 0, "config": JobConfig()}
        return Job.model_validate({**known, "workspace_id": workspace_id, "id": job_id, "state": state, "error": error})

    async def leave_out_pending(self, workspace_id: str, job_id: str, reason: str) -> int:
        """There is none: items that are here were released."""
        self._refuse()
        return 0

    def _refuse(self) -> None:
        if self.error:
            raise self.error


class Raw:
    """Any bytes in an event's place, as another program could publish them."""

    def __init__(self, topic: str, body: str) -> None:
        self.topic = topic
        self.key = "raw"
        self._body = body

    def model_dump_json(self) -> str:
        return self._body

    @classmethod
    def event(cls, topic: str, body: str) -> Event:
        return cast(Event, cls(topic, body))


def item(kind: type[ItemEvent], item_id: str) -> ItemEvent:
    return kind(workspace_id="w", job_id="j", item_id=item_id)


class Seen:
    """The ids of the items that a handler met, in order; `reach` waits for some."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._changed = asyncio.Condition()

    async def add(self, item_id: str) -> None:
        async with self._changed:
            self.ids.append(item_id)
            self._changed.notify_all()

    async def reach(self, wanted: int | Collection[str]) -> None:
        """Wait for so many, or for these."""

        def there() -> bool:
            return len(self.ids) >= wanted if isinstance(wanted, int) else set(wanted) <= set(self.ids)

        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(there)


class World(ABC):
    """Buses that share one durable place: a second one finds what the first has left."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self._buses: list[AnyBus] = []

    @abstractmethod
    def make(self, *, slots: int = 20, grace: float = 20.0) -> AnyBus: ...

    @abstractmethod
    async def declare(self, topic: str) -> None: ...

    @abstractmethod
    async def dead_letter(self, topic: str) -> DeadLetter:
        """The first that came from this topic; waits for it."""

    async def event(self) -> type[ItemEvent]:
        """A class of events with a topic that no other test has."""
        topic = f"insights.item.test-{uuid4().hex}"
        await self.declare(topic)
        return type("Tested", (ItemEvent,), {"topic": topic, "__module__": __name__})

    async def start(self, *routers: Router, slots: int = 20, grace: float = 20.0) -> AnyBus:
        bus = self.make(slots=slots, grace=grace)
        for router in routers:
            bus.include_router(router, {"store": self.store})
        await bus.start()
        self._buses.append(bus)
        return bus

    async def close(self) -> None:
        for bus in self._buses:
            await bus.stop()


class LocalWorld(World):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / "bus.db"

    def make(self, *, slots: int = 20, grace: float = 20.0) -> LocalBus:
        return LocalBus(self._path, slots=slots, grace=grace)

    async def declare(self, topic: str) -> None:
        """A local bus has no topics to make."""

    async def dead_letter(self, topic: str) -> DeadLetter:
        bus = cast(LocalBus, self._buses[-1])
        async with asyncio.timeout(PATIENCE):
            await bus.join()
        return next(letter for letter in await bus.dead_letters() if letter.source == topic)


class KafkaWorld(World):
    def __init__(self, servers: str, *, publish_timeout: float = 15.0) -> None:
        super().__init__()
        self.servers = servers
        self._publish_timeout = publish_timeout

    def make(self, *, slots: int = 20, grace: float = 20.0) -> KafkaBus:
        return KafkaBus(
            self.servers, slots=slots, grace=grace, session_timeout=6.0, publish_timeout=self._publish_timeout
        )

    async def declare(self, topic: str) -> None:
        await create_topics(self.servers, 2, 1)
        await create_topics(self.servers, 2, 1, [topic])

    async def dead_letter(self, topic: str) -> DeadLetter:
        consumer = AIOKafkaConsumer(DeadLetter.topic, bootstrap_servers=self.servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(PATIENCE):
                async for record in consumer:
                    letter = DeadLetter.model_validate_json(record.value)
                    if letter.source == topic:
                        return letter
        finally:
            await consumer.stop()
        raise UnavailableError("Kafka ended the topic of dead letters.")
