"""The bus inside one process, with Kafka's promise: at least once to every group, also over a crash.

An event is a row per subscribed group until that group's handler has returned (`journal.py`).
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.bus import Router
from shared.bus.journal import Journal
from shared.bus.subscription import Subscription
from shared.errors import UnavailableError
from shared.events import DeadLetter, Event


class _Queue:
    """The events of one subscription that wait in memory, as row and body, and how many of them may be in work."""

    def __init__(self, subscription: Subscription, slots: int) -> None:
        self.subscription = subscription
        self.rows: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.slots = asyncio.Semaphore(slots if subscription.windowed else 1)


class LocalBus:
    """A bus on the SQLite file `path`. A windowed route runs up to `slots` handlers at once.

    `stop` waits up to `grace` seconds for handlers; a handler that is cancelled then gets its event again after the
    next start. `failed` is set if an event could not even be buried: the process should end (`check` says why).
    """

    def __init__(self, path: Path, *, slots: int, grace: float = 40.0) -> None:
        self.failed = asyncio.Event()
        self._path = path
        self._slots = slots
        self._grace = grace
        self._journal: Journal | None = None
        self._queues: dict[str, list[_Queue]] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def include_router(self, router: Router, dependencies: Mapping[str, Any]) -> None:
        """Call it before `start`. A ValueError says that a group has two handlers for one event."""
        for route in router.routes:
            subscription = Subscription(route, {**dependencies, "publish": self.publish}, self.failed)
            queues = self._queues.setdefault(subscription.topic, [])
            if any(queue.subscription.name == subscription.name for queue in queues):
                raise ValueError(f"{subscription.name} has two handlers: give one of them a group of its own")
            queues.append(_Queue(subscription, self._slots))

    async def start(self) -> None:
        """Deliver what was left, then what comes. Raises UnavailableError where the file cannot be opened."""
        self._journal = Journal(self._path)
        for queue in (queue for queues in self._queues.values() for queue in queues):
            for row, body in await self._journal.left(queue.subscription.name):
                self._put(queue, row, body)
            self._readers.append(asyncio.create_task(self._read(queue), name=queue.subscription.name))

    async def stop(self) -> None:
        """Return when no handler runs and the file is closed; what was not handled stays in it."""
        await _cancel(self._readers)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace)
        await _cancel(self._tasks)
        if journal := self._journal:
            self._journal = None
            await journal.close()

    async def publish(self, event: Event | DeadLetter) -> None:
        """Return when the event is durable; one that nobody subscribes to is dropped, but for a dead letter."""
        journal = self._started()
        body = event.model_dump_json().encode()
        if isinstance(event, DeadLetter):
            await journal.add_dead_letter(body)
        elif queues := self._queues.get(event.topic):
            await journal.add(
                [queue.subscription.name for queue in queues], body, lambda rows: self._put_all(queues, rows, body)
            )

    async def check(self) -> None:
        journal = self._started()
        if self.failed.is_set():
            raise UnavailableError("An event could not be delivered (the log says why): restart this process.")
        await journal.check()

    async def join(self) -> None:
        """Return when no event waits or is in work. Raises UnavailableError if one cannot be delivered."""
        await self._idle.wait()
        if self.failed.is_set():
            await self.check()

    async def dead_letters(self) -> list[DeadLetter]:
        """All that this file holds, oldest first."""
        return [DeadLetter.model_validate_json(body) for body in await self._started().dead_letters()]

    def _started(self) -> Journal:
        if self._journal is None:
            raise UnavailableError(f"The bus on {self._path} is closed: start it first.")
        return self._journal

    def _put_all(self, queues: list[_Queue], rows: list[int], body: bytes) -> None:
        for queue, row in zip(queues, rows, strict=True):
            self._put(queue, row, body)

    def _put(self, queue: _Queue, row: int, body: bytes) -> None:
        self._open += 1
        self._idle.clear()
        queue.rows.put_nowait((row, body))

    async def _read(self, queue: _Queue) -> None:
        while True:
            await queue.slots.acquire()
            row, body = await queue.rows.get()
            task = asyncio.create_task(self._handle(queue, row, body))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _handle(self, queue: _Queue, row: int, body: bytes) -> None:
        try:
            await queue.subscription.deliver(body)
            self._forget(row)
        finally:
            queue.slots.release()
            if self.failed.is_set():
                self._idle.set()  # nobody may wait in join() for what cannot end

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # logged by Subscription; asyncio would log it again at some later moment

    def _forget(self, row: int) -> None:
        self._open -= 1
        if not self._open:
            self._idle.set()
        if self._journal:
            self._journal.handled(row)


async def _cancel(tasks: "set[asyncio.Task[None]] | list[asyncio.Task[None]]") -> None:
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
