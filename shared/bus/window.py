"""Many handlers at once over one Kafka consumer, which commits the lowest offset that is not finished.

FastStream's own ways to run handlers at once lose events (`max_workers`) or wait for the slowest of a batch; this
runs four times as many events a second, whatever the number of partitions, and repeats at most MAX_LAG of each
partition after a crash.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.membership import Membership

log = logging.getLogger(__name__)

MAX_LAG = 5_000
COMMIT_SECONDS = 1.0
LAST_COMMIT_SECONDS = 3.0


class Consumer(Protocol):
    """What is used of an AIOKafkaConsumer."""

    def assignment(self) -> Collection[TopicPartition]: ...

    async def position(self, partition: TopicPartition) -> int: ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...

    def pause(self, *partitions: TopicPartition) -> None: ...


class _Partition:
    """Offsets of one partition: in work, finished above the last commit, the highest seen, the last committed."""

    __slots__ = ("committed", "done", "in_work", "seen")

    def __init__(self) -> None:
        self.in_work: set[int] = set()
        self.done: set[int] = set()
        self.seen = -1
        self.committed = -1

    def watermark(self) -> int:
        """The offset to read from after a crash."""
        return min(self.in_work) if self.in_work else self.seen + 1

    def knows(self, offset: int) -> bool:
        return offset in self.in_work or offset in self.done or offset < self.committed

    def begin(self, offset: int) -> None:
        self.in_work.add(offset)
        self.seen = max(self.seen, offset)

    def end(self, offset: int) -> None:
        self.in_work.discard(offset)
        self.done.add(offset)

    def commit(self, offset: int) -> None:
        self.committed = offset
        self.done = {done for done in self.done if done >= offset}


class Window(Membership):
    """Runs `work(record)` for up to `limit` records at once; `submit` blocks the consumer's loop where it is full.

    `work` must not raise: a record whose work did is held, so that nothing after it is committed, and `failed` is
    set, so that the process ends and the record comes again.
    """

    def __init__(
        self,
        work: Callable[[ConsumerRecord], Awaitable[None]],
        failed: asyncio.Event,
        *,
        limit: int,
        max_lag: int = MAX_LAG,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> None:
        super().__init__()
        self._work = work
        self._failed = failed
        self._slots = asyncio.Semaphore(limit)
        self._max_lag = max_lag
        self._commit_seconds = commit_seconds
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()
        self._consumer: Consumer | None = None
        self._committer: asyncio.Task[None] | None = None
        self._closing = False
        self._hold = False
        self._generation = 0

    async def submit(self, record: ConsumerRecord, consumer: Consumer) -> None:
        """Begin this record's work, unless it is being done, was done, or will come again after a rebalance."""
        self._attach(consumer)
        await self._slots.acquire()
        partition = await self._admit(record, consumer)  # no await from here on: a rebalance must not come between
        if partition is None:
            self._slots.release()
            return
        partition.begin(record.offset)
        task = asyncio.create_task(self._run(partition, record))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def commit(self, *, force: bool = False) -> None:
        """Commit each partition's watermark, unless the group is rebalancing.

        aiokafka answers a commit that was refused during a rebalance by dropping its member id, which voids the join
        under way: who goes on committing keeps the group rebalancing for ever.
        """
        if self._consumer is None or (self._hold and not force):
            return
        generation, offsets = self._generation, self._watermarks(self._consumer.assignment())
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.warning("A commit was refused, the partitions' next owner repeats some events: %r", error)
            if generation == self._generation:  # else the rebalance that refused it is over
                self._hold = True
        except KafkaError as error:
            log.warning("A commit failed and will be tried again: %r", error)
        else:
            self._remember(generation, offsets)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Hold commits after a last one, which Kafka still takes while it prepares a rebalance."""
        await super().on_partitions_revoked(revoked)
        self._hold = True
        await self._commit_in_time(force=True)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Forget the partitions that are gone; what is in work there goes on, since its calls are paid for."""
        await super().on_partitions_assigned(assigned)
        for partition in [partition for partition in self._partitions if partition not in assigned]:
            del self._partitions[partition]
        for kept in self._partitions.values():
            kept.committed = -1  # another may have moved it meanwhile
        self._generation += 1
        self._hold = False
        self._moved.set()

    async def drain(self, seconds: float) -> None:
        """Take no more records, wait for the work, commit; what is not finished in time is cancelled."""
        self._closing = True
        self._moved.set()
        if self._consumer is not None:
            self._consumer.pause(*self._consumer.assignment())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        await _cancel(self._tasks)
        await _cancel([self._committer] if self._committer else [])
        await self._commit_in_time()

    async def _commit_in_time(self, *, force: bool = False) -> None:
        """aiokafka itself tries a commit for ever while Kafka is down."""
        try:
            await asyncio.wait_for(self.commit(force=force), LAST_COMMIT_SECONDS)
        except TimeoutError:
            log.warning("A last commit took too long, the partitions' next owner repeats some events.")

    def _attach(self, consumer: Consumer) -> None:
        self._consumer = consumer
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_often())
            self._committer.add_done_callback(self._committer_ended)

    async def _admit(self, record: ConsumerRecord, consumer: Consumer) -> _Partition | None:
        """The record's partition. None where a rebalance set its position back, so that it will come again."""
        name = TopicPartition(record.topic, record.partition)
        while not self._closing and self._lags(name, record.offset):
            self._moved.clear()
            await self._moved.wait()
        try:
            if self._closing or await consumer.position(name) <= record.offset:
                return None
        except IllegalStateError:  # the partition is not ours any more
            return None
        partition = self._partitions.setdefault(name, _Partition())
        return None if partition.knows(record.offset) else partition

    def _lags(self, name: TopicPartition, offset: int) -> bool:
        partition = self._partitions.get(name)
        return partition is not None and offset - partition.watermark() > self._max_lag

    async def _run(self, partition: _Partition, record: ConsumerRecord) -> None:
        try:
            await self._work(record)
            partition.end(record.offset)
        except Exception:
            log.critical("%s-%s is held at %s", record.topic, record.partition, record.offset, exc_info=True)
            self._failed.set()
        finally:
            self._slots.release()
            self._moved.set()

    def _watermarks(self, assignment: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {
            name: partition.watermark()
            for name, partition in self._partitions.items()
            if name in assignment and partition.watermark() > max(partition.committed, 0)
        }

    def _remember(self, generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        for name, offset in offsets.items():
            partition = self._partitions.get(name)
            if partition is not None and generation == self._generation:
                partition.commit(offset)

    async def _commit_often(self) -> None:
        while True:
            await asyncio.sleep(self._commit_seconds)
            await self.commit()

    def _committer_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.critical("Offsets are not committed any more", exc_info=task.exception())
            self._failed.set()


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
