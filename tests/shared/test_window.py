"""The window commits nothing that is unfinished, and nothing at all while its group rebalances."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, RequestTimedOutError

from shared.bus.window import LAST_COMMIT_SECONDS, Window

ONE, TWO = TopicPartition("topic", 0), TopicPartition("topic", 1)


@dataclass(frozen=True)
class Record:
    offset: int
    partition: int = 0
    topic: str = "topic"


class FakeConsumer:
    """Has both partitions; `answers` are what its next commits do: an error, or an event to wait for."""

    def __init__(self) -> None:
        self.assigned = {ONE, TWO}
        self.at = 1_000_000
        self.commits: list[dict[TopicPartition, int]] = []
        self.answers: list[Exception | asyncio.Event] = []
        self.paused = False

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    async def position(self, partition: TopicPartition) -> int:
        if partition not in self.assigned:
            raise IllegalStateError("not assigned")
        return self.at

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = CommitFailedError("late")
        if answer is not None:
            raise answer
        self.commits.append(dict(offsets))

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused = True


class Case:
    """A window whose work on an offset lasts until `end` is called."""

    def __init__(self, *, limit: int = 10, max_lag: int = 5_000) -> None:
        self.consumer = FakeConsumer()
        self.failed = asyncio.Event()
        self.begun: list[int] = []
        self._ends: dict[int, asyncio.Future[None]] = {}
        self.window = Window(self._work, self.failed, limit=limit, max_lag=max_lag, commit_seconds=3_600)

    async def _work(self, record: Record) -> None:
        self.begun.append(record.offset)
        self._ends[record.offset] = asyncio.get_running_loop().create_future()
        await self._ends[record.offset]

    async def submit(self, *offsets: int) -> None:
        for offset in offsets:
            await self.window.submit(Record(offset), self.consumer)
        await settle()

    async def end(self, *offsets: int, error: Exception | None = None) -> None:
        for offset in offsets:
            if error:
                self._ends[offset].set_exception(error)
            else:
                self._ends[offset].set_result(None)
        await settle()

    async def committed(self) -> int | None:
        """The offset that a commit sends now."""
        before = len(self.consumer.commits)
        await self.window.commit()
        return self.consumer.commits[-1][ONE] if len(self.consumer.commits) > before else None


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_lowest_unfinished_offset_is_committed() -> None:
    case = Case()
    await case.submit(0, 1, 2, 3)
    await case.end(1, 3)
    assert await case.committed() is None
    await case.end(0)
    assert await case.committed() == 2
    await case.end(2)
    assert await case.committed() == 4
    await case.window.drain(1)


async def test_a_full_window_stops_the_consumer() -> None:
    case = Case(limit=2)
    await case.submit(0, 1)
    waiting = asyncio.create_task(case.submit(2))
    await settle()
    assert case.begun == [0, 1]
    await case.end(1)
    await waiting
    assert case.begun == [0, 1, 2]
    await case.window.drain(0.001)


async def test_no_more_than_max_lag_events_wait_for_a_slow_one() -> None:
    case = Case(max_lag=2)
    await case.submit(0, 1, 2)
    await case.end(1, 2)
    waiting = asyncio.create_task(case.submit(3))
    await settle()
    assert case.begun == [0, 1, 2]
    await case.end(0)
    await waiting
    assert case.begun[-1] == 3
    await case.window.drain(0.001)


async def test_trap_7_no_commit_between_revoke_and_assign() -> None:
    case = Case()
    await case.submit(0, 1)
    await case.end(0)
    await case.window.on_partitions_revoked({ONE, TWO})
    assert case.consumer.commits == [{ONE: 1}]  # the one that Kafka takes while it prepares a rebalance
    await case.end(1)
    assert await case.committed() is None
    await case.window.on_partitions_assigned({ONE, TWO})
    assert await case.committed() == 2
    await case.window.drain(1)


async def test_trap_7_a_refused_commit_holds_the_next_ones_until_the_rebalance_is_over() -> None:
    case = Case()
    await case.submit(0)
    await case.end(0)
    case.consumer.answers = [CommitFailedError("rebalanced")]
    assert [await case.committed(), await case.committed()] == [None, None]
    await case.window.on_partitions_assigned({ONE, TWO})
    assert await case.committed() == 1
    await case.window.drain(1)


async def test_trap_7_a_commit_that_is_refused_after_the_rebalance_holds_nothing() -> None:
    """Else no commit would ever follow: the rebalance that lifts the hold is over."""
    case = Case()
    await case.submit(0)
    await case.end(0)
    late = asyncio.Event()
    case.consumer.answers = [late]
    committing = asyncio.create_task(case.window.commit())
    await settle()
    await case.window.on_partitions_assigned({ONE, TWO})
    late.set()
    await committing
    assert await case.committed() == 1
    await case.window.drain(1)


async def test_a_commit_that_fails_for_another_reason_is_tried_again() -> None:
    """Kafka was away: no rebalance follows that would lift a hold."""
    case = Case()
    await case.submit(0)
    await case.end(0)
    case.consumer.answers = [RequestTimedOutError()]
    assert [await case.committed(), await case.committed()] == [None, 1]
    await case.window.drain(1)


async def test_what_comes_again_to_a_partition_that_we_kept_is_not_done_twice() -> None:
    case = Case()
    await case.submit(0, 1, 2)
    await case.end(1)
    await case.window.on_partitions_revoked({ONE, TWO})
    await case.window.on_partitions_assigned({ONE, TWO})
    await case.submit(0, 1, 2)
    assert case.begun == [0, 1, 2]
    await case.window.drain(0.001)


async def test_a_partition_that_is_lost_is_not_committed() -> None:
    case = Case()
    await case.submit(0)
    await case.window.on_partitions_assigned({TWO})
    case.consumer.assigned = {TWO}
    await case.end(0)  # its work went on
    assert await case.committed() is None
    await case.window.drain(1)


@pytest.mark.parametrize(("assigned", "at"), [({ONE, TWO}, 5), ({TWO}, 1_000_000)])
async def test_a_record_that_waited_over_a_rebalance_is_left_to_its_next_delivery(
    assigned: set[TopicPartition], at: int
) -> None:
    case = Case(limit=1)
    await case.submit(4)
    waiting = asyncio.create_task(case.submit(5))
    await settle()
    case.consumer.assigned, case.consumer.at = assigned, at
    await case.end(4)
    await waiting
    assert case.begun == [4]
    await case.window.drain(1)


async def test_trap_4_work_that_raises_holds_its_offset_and_fails_the_bus() -> None:
    case = Case()
    await case.submit(0, 1, 2)
    await case.end(0, 2)
    await case.end(1, error=ZeroDivisionError("a defect"))
    assert case.failed.is_set()
    assert await case.committed() == 1
    await case.window.drain(1)
    assert case.consumer.commits == [{ONE: 1}]


async def test_trap_10_drain_ends_while_kafka_is_down() -> None:
    """aiokafka tries a commit for ever."""
    case = Case()
    await case.submit(0)
    await case.end(0)
    case.consumer.answers = [asyncio.Event()]
    await asyncio.wait_for(case.window.drain(1), 2 * LAST_COMMIT_SECONDS)
    assert case.consumer.commits == []


async def test_drain_takes_no_more_and_commits_what_ended_in_time() -> None:
    case = Case()
    await case.submit(0, 1)
    draining = asyncio.create_task(case.window.drain(0.05))
    await settle()
    await case.end(0)
    await case.submit(2)
    await draining
    assert case.consumer.paused
    assert case.begun == [0, 1]
    assert case.consumer.commits == [{ONE: 1}]
