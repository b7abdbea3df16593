"""What both buses promise. The same Routers are bound to each."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.bus import Publish, Router, connect
from shared.bus.delivery import TRIES
from shared.errors import BudgetError, ItemError, JobError, RefusedError, UnavailableError, UsageError
from shared.events import ItemEvent
from shared.models import ItemState, JobState
from tests.contract.bus_world import PATIENCE, KafkaWorld, LocalWorld, Raw, Seen, World, item

both = pytest.mark.parametrize("windowed", [False, True], ids=["one at a time", "windowed"])


def record(event: type[ItemEvent], seen: Seen, *, group: str = "group", windowed: bool = False) -> Router:
    """A service that only notes what comes."""
    router = Router(group)

    @router.subscriber(event, windowed=windowed)
    async def note(event: ItemEvent) -> None:
        await seen.add(event.item_id)

    return router


class BusContract:
    @pytest.fixture
    def world(self) -> World:
        """Of the bus under test."""
        raise NotImplementedError

    async def test_every_group_gets_every_event(self, world: World) -> None:
        event, one, two = await world.event(), Seen(), Seen()
        bus = await world.start(record(event, one, group="one"), record(event, two, group="two", windowed=True))
        ids = [str(n) for n in range(20)]
        for item_id in ids:
            await bus.publish(item(event, item_id))
        await one.reach(ids)
        await two.reach(ids)

    async def test_a_topic_goes_only_to_its_own_route(self, world: World) -> None:
        first, second, one, two = await world.event(), await world.event(), Seen(), Seen()
        bus = await world.start(record(first, one), record(second, two))
        await bus.publish(item(first, "a"))
        await bus.publish(item(second, "b"))
        await one.reach(["a"])
        await two.reach(["b"])
        assert (set(one.ids), set(two.ids)) == ({"a"}, {"b"})

    async def test_a_windowed_route_runs_many_at_once(self, world: World) -> None:
        """Each of eight handlers waits until all eight run."""
        event, seen, together = await world.event(), Seen(), asyncio.Barrier(8)
        router = Router("group")

        @router.subscriber(event, windowed=True)
        async def meet(event: ItemEvent) -> None:
            await together.wait()
            await seen.add(event.item_id)

        bus = await world.start(router)
        ids = [str(n) for n in range(8)]
        await asyncio.gather(*(bus.publish(item(event, item_id)) for item_id in ids))
        await seen.reach(ids)

    @pytest.mark.parametrize(("windowed", "most"), [(False, 1), (True, 3)])
    async def test_a_route_runs_no_more_at_once_than_it_may(self, world: World, windowed: bool, most: int) -> None:
        event, seen = await world.event(), Seen()
        running, peak = 0, 0
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def count(event: ItemEvent) -> None:
            nonlocal running, peak
            running += 1
            peak = max(peak, running)
            for _ in range(20):
                await asyncio.sleep(0)  # let others begin, if they may
            running -= 1
            await seen.add(event.item_id)

        bus = await world.start(router, slots=3)
        ids = [str(n) for n in range(12)]
        await asyncio.gather(*(bus.publish(item(event, item_id)) for item_id in ids))
        await seen.reach(ids)
        assert peak <= most

    async def test_a_handler_gets_what_it_names_and_its_events_flow_on(self, world: World) -> None:
        first, second, seen = await world.event(), await world.event(), Seen()
        router = Router("group")

        @router.subscriber(first)
        async def pass_on(event: ItemEvent, publish: Publish, store: object) -> None:
            assert store is world.store
            await publish(item(second, event.item_id))

        bus = await world.start(router, record(second, seen))
        await bus.publish(item(first, "a"))
        await seen.reach(["a"])

    @both
    async def test_an_item_error_ends_the_item_and_becomes_a_dead_letter(self, world: World, windowed: bool) -> None:
        event, seen = await world.event(), Seen()
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def fail(event: ItemEvent) -> None:
            await seen.add(event.item_id)
            if event.item_id == "bad":
                raise ItemError("This trace has no messages.")

        bus = await world.start(router)
        await bus.publish(item(event, "bad"))
        await bus.publish(item(event, "good"))
        letter = await world.dead_letter(event.topic)
        await seen.reach(["good"])
        assert (letter.item_id, letter.reason, letter.attempts) == ("bad", "This trace has no messages.", 1)
        assert (letter.group, letter.workspace_id, letter.job_id) == ("group", "w", "j")
        assert world.store.items == {"bad": (ItemState.FAILED, "This trace has no messages.")}

    @both
    async def test_an_item_out_of_budget_is_left_out_and_a_job_error_ends_the_job(
        self, world: World, windowed: bool
    ) -> None:
        """Of the two only the job's failure is a dead letter."""
        event, seen = await world.event(), Seen()
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def fail(event: ItemEvent) -> None:
            await seen.add(event.item_id)
            raise BudgetError("Used up.") if event.item_id == "dear" else JobError("The key is wrong.")

        bus = await world.start(router)
        await bus.publish(item(event, "dear"))
        await seen.reach(["dear"])
        await bus.publish(item(event, "a"))
        letter = await world.dead_letter(event.topic)
        assert (letter.item_id, letter.reason) == ("a", "The key is wrong.")
        assert world.store.items == {"dear": (ItemState.LEFT_OUT, "Used up.")}
        assert world.store.jobs == {"j": (JobState.ERROR, "The key is wrong.")}

    @pytest.mark.parametrize(
        ("error", "times"), [(RefusedError("Not now."), TRIES - 1), (UnavailableError("Away."), TRIES + 1)]
    )
    async def test_what_store_or_bus_refuse_is_tried_again(self, world: World, error: Exception, times: int) -> None:
        """Refused: TRIES tries; away: no tries are counted."""
        event, seen = await world.event(), Seen()
        left = times
        router = Router("group")

        @router.subscriber(event)
        async def refuse(event: ItemEvent) -> None:
            nonlocal left
            if left:
                left -= 1
                raise error
            await seen.add(event.item_id)

        bus = await world.start(router)
        await bus.publish(item(event, "a"))
        await seen.reach(["a"])
        assert world.store.items == {}

    @both
    @pytest.mark.parametrize("body", ["no JSON {", "[1]", '{"workspace_id": "w"}', ""], ids=str)
    async def test_what_is_no_event_dies_and_the_next_is_handled(self, world: World, body: str, windowed: bool) -> None:
        event, seen = await world.event(), Seen()
        bus = await world.start(record(event, seen, windowed=windowed))
        await bus.publish(Raw.event(event.topic, body))
        await bus.publish(item(event, "next"))
        letter = await world.dead_letter(event.topic)
        await seen.reach(["next"])
        assert (letter.body, letter.item_id) == (body, None)
        assert event.topic in letter.reason

    @both
    async def test_an_event_in_work_at_the_stop_comes_again(self, world: World, windowed: bool) -> None:
        """A handler that is cancelled in its midst, and the events that wait behind it."""
        event, begun, seen = await world.event(), Seen(), Seen()
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def hang(event: ItemEvent) -> None:
            await begun.add(event.item_id)
            await asyncio.Event().wait()

        bus = await world.start(router, slots=1, grace=0.05)
        for item_id in "abc":
            await bus.publish(item(event, item_id))
        await begun.reach(1)
        await bus.stop()
        await world.start(record(event, seen, windowed=windowed))
        await seen.reach(["a", "b", "c"])

    @both
    async def test_stop_waits_for_handlers(self, world: World, windowed: bool) -> None:
        event, begun, release, ended = await world.event(), asyncio.Event(), asyncio.Event(), []
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def wait(event: ItemEvent) -> None:
            begun.set()
            await release.wait()
            ended.append(event.item_id)

        bus = await world.start(router)
        await bus.publish(item(event, "a"))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        stopping = asyncio.create_task(bus.stop())
        done, _ = await asyncio.wait([stopping], timeout=0.2)
        assert not done
        release.set()
        await asyncio.wait_for(stopping, PATIENCE)
        assert ended == ["a"]

    @both
    async def test_a_handler_that_meets_anothers_cancellation_is_run_again(self, world: World, windowed: bool) -> None:
        event, seen, other = await world.event(), Seen(), asyncio.get_running_loop().create_future()
        other.cancel()
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def share(event: ItemEvent) -> None:
            await seen.add(event.item_id)
            if len(seen.ids) == 1:
                await other

        bus = await world.start(router)
        await bus.publish(item(event, "a"))
        await bus.publish(item(event, "b"))
        await seen.reach(["a", "b"])
        await bus.stop()
        assert seen.ids.count("a") == 2

    @both
    async def test_what_can_not_be_buried_fails_the_bus_and_comes_again(self, world: World, windowed: bool) -> None:
        """Trap 5: no hot loop either. A defect in the store is no reason to lose an event or to hold it silently."""
        event, begun, seen = await world.event(), Seen(), Seen()
        router = Router("group")

        @router.subscriber(event, windowed=windowed)
        async def fail(event: ItemEvent) -> None:
            await begun.add(event.item_id)
            raise ItemError("This trace is bad.")

        world.store.error = ZeroDivisionError("a defect")
        bus = await world.start(router, grace=0.05)
        await bus.check()
        await bus.publish(item(event, "a"))
        await asyncio.wait_for(bus.failed.wait(), PATIENCE)
        with pytest.raises(UnavailableError, match="restart"):
            await bus.check()
        await bus.stop()
        assert begun.ids == ["a"]
        await world.start(record(event, seen, windowed=windowed))
        await seen.reach(["a"])

    async def test_publish_says_when_the_bus_is_closed(self, world: World) -> None:
        event = await world.event()
        bus = await world.start()
        await bus.stop()
        for closed in (world.make(), bus):
            with pytest.raises(UnavailableError, match="closed"):
                await closed.publish(item(event, "a"))
            with pytest.raises(UnavailableError, match="closed"):
                await closed.check()

    async def test_one_group_can_not_have_two_handlers_of_an_event(self, world: World) -> None:
        event, seen = await world.event(), Seen()
        bus = world.make()
        bus.include_router(record(event, seen), {"store": world.store})
        with pytest.raises(ValueError, match="two handlers"):
            bus.include_router(record(event, seen), {"store": world.store})

    async def test_a_handler_that_asks_for_what_nobody_provides_stops_the_start(self, world: World) -> None:
        router = Router("group")

        @router.subscriber(await world.event())
        async def ask(event: ItemEvent, llm: object) -> None:
            """Never runs."""

        with pytest.raises(TypeError, match="llm"):
            world.make().include_router(router, {"store": world.store})


class TestLocal(BusContract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        world = LocalWorld(tmp_path)
        yield world
        await world.close()

    @pytest.mark.xfail(strict=True, reason="an event is a row per group that is known when it is published")
    async def test_an_event_from_before_the_group_is_not_lost(self, world: World) -> None:
        await publish_before_the_group(world, patience=0.2)


class TestKafka(BusContract):
    @pytest.fixture
    async def world(self, kafka_servers: str) -> AsyncIterator[World]:
        world = KafkaWorld(kafka_servers)
        yield world
        await world.close()

    async def test_an_event_from_before_the_group_is_not_lost(self, world: World) -> None:
        """Trap 3: the default begins at what comes after the group's first commit."""
        await publish_before_the_group(world, patience=PATIENCE)


async def publish_before_the_group(world: World, *, patience: float) -> None:
    event, seen = await world.event(), Seen()
    bus = await world.start()
    await bus.publish(item(event, "early"))
    await bus.stop()
    await world.start(record(event, seen))
    await asyncio.wait_for(seen.reach(["early"]), patience)


def test_connect_chooses_by_url(tmp_path: Path) -> None:
    assert type(connect("local", slots=1, path=tmp_path / "bus.db")).__name__ == "LocalBus"
    assert type(connect("kafka://a:1,b:2", slots=1)).__name__ == "KafkaBus"
    for url in ("local", "kafka://", "redis://a:1", ""):
        with pytest.raises(UsageError):
            connect(url, slots=1)
