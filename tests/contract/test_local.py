"""What only the bus inside one process promises: its file, its dead letters, `join`."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Publish, Router
from shared.bus.journal import Journal
from shared.bus.local import LocalBus
from shared.errors import ItemError, RefusedError, UnavailableError
from shared.events import ItemSampled, ItemSummarized
from tests.contract.bus_world import PATIENCE, FakeStore, Seen, item
from tests.contract.test_bus import record

VICTIM = """
import asyncio, os, signal, sys
from pathlib import Path
from shared.bus import Router
from shared.bus.local import LocalBus
from shared.events import ItemSampled

router = Router("group")

@router.subscriber(ItemSampled, windowed=True)
async def die(event):
    if event.item_id == "last":
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.Event().wait()

async def main():
    bus = LocalBus(Path(sys.argv[1]), slots=100)
    bus.include_router(router, {"store": None})
    await bus.start()
    for item_id in [*map(str, range(50)), "last"]:
        await bus.publish(ItemSampled(workspace_id="w", job_id="j", item_id=item_id))
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def start(path: Path, *routers: Router) -> LocalBus:
    bus = LocalBus(path, slots=10)
    for router in routers:
        bus.include_router(router, {"store": FakeStore()})
    await bus.start()
    return bus


async def test_a_killed_process_loses_no_event_that_was_published(tmp_path: Path) -> None:
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", VICTIM, str(tmp_path / "bus.db"), stderr=PIPE)
    assert await asyncio.wait_for(victim.wait(), PATIENCE) == -signal.SIGKILL
    seen = Seen()
    bus = await start(tmp_path / "bus.db", record(ItemSampled, seen, windowed=True))
    await bus.join()
    await bus.stop()
    assert set(seen.ids) == {*map(str, range(50)), "last"}


async def test_join_waits_for_what_handlers_publish_in_turn(tmp_path: Path) -> None:
    router, seen = Router("group"), Seen()

    @router.subscriber(ItemSampled)
    async def pass_on(event: ItemSampled, publish: Publish) -> None:
        for n in range(3):
            await publish(item(ItemSummarized, f"{event.item_id}{n}"))

    bus = await start(tmp_path / "bus.db", router, record(ItemSummarized, seen, windowed=True))
    await bus.join()  # nothing there yet
    await bus.publish(item(ItemSampled, "a"))
    await asyncio.wait_for(bus.join(), PATIENCE)
    assert sorted(seen.ids) == ["a0", "a1", "a2"]
    await bus.stop()


async def test_what_was_handled_does_not_come_again_after_a_stop(tmp_path: Path) -> None:
    one, two = Seen(), Seen()
    bus = await start(tmp_path / "bus.db", record(ItemSampled, one))
    for n in range(20):
        await bus.publish(item(ItemSampled, str(n)))
    await bus.join()
    await bus.stop()
    again = await start(tmp_path / "bus.db", record(ItemSampled, two))
    await again.join()
    await again.stop()
    assert (len(one.ids), two.ids) == (20, [])


async def test_dead_letters_are_kept_over_a_restart(tmp_path: Path) -> None:
    router = Router("group")

    @router.subscriber(ItemSampled)
    async def fail(event: ItemSampled) -> None:
        raise ItemError(f"{event.item_id} is bad.")

    bus = await start(tmp_path / "bus.db", router)
    await bus.publish(item(ItemSampled, "a"))
    await bus.publish(item(ItemSampled, "b"))
    await bus.join()
    await bus.stop()
    again = await start(tmp_path / "bus.db")
    assert [letter.reason for letter in await again.dead_letters()] == ["a is bad.", "b is bad."]
    await again.stop()


async def test_an_event_that_nobody_subscribes_to_is_dropped(tmp_path: Path) -> None:
    bus = await start(tmp_path / "bus.db")
    await bus.publish(item(ItemSampled, "a"))
    await bus.stop()
    seen = Seen()
    again = await start(tmp_path / "bus.db", record(ItemSampled, seen))
    await again.join()
    await again.stop()
    assert seen.ids == []


async def test_an_event_whose_publisher_was_cancelled_is_delivered_all_the_same(tmp_path: Path) -> None:
    """Its row may be durable already; it must not wait for the next start."""
    seen = Seen()
    bus = await start(tmp_path / "bus.db", record(ItemSampled, seen))
    publishing = asyncio.create_task(bus.publish(item(ItemSampled, "a")))
    await asyncio.sleep(0)  # it has begun
    publishing.cancel()
    await seen.reach(["a"])
    await bus.stop()


async def test_join_ends_with_an_error_if_an_event_can_not_be_delivered(tmp_path: Path) -> None:
    router = Router("group")

    @router.subscriber(ItemSampled)
    async def fail(event: ItemSampled) -> None:
        raise ItemError("Bad.")

    bus = LocalBus(tmp_path / "bus.db", slots=1)
    bus.include_router(router, {"store": FakeStore(error=ZeroDivisionError("a defect"))})
    await bus.start()
    await bus.publish(item(ItemSampled, "a"))
    with pytest.raises(UnavailableError, match="restart"):
        await asyncio.wait_for(bus.join(), PATIENCE)
    await bus.stop()


async def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="folder"):
        await start(tmp_path / "nowhere" / "bus.db")


async def test_a_write_that_fails_is_told_to_its_publisher(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "bus.db")
    await journal.close()
    with pytest.raises(UnavailableError, match="closed"):
        await journal.add(["queue"], b"{}", lambda rows: None)


@pytest.mark.parametrize(
    ("queue", "body", "error"), [("queue", object(), RefusedError), ("half \ud83d", b"{}", UnicodeEncodeError)]
)
async def test_no_publisher_waits_for_ever_whatever_fails_and_the_next_write_is_taken(
    tmp_path: Path, queue: str, body: Any, error: type[Exception]
) -> None:
    """SQLite cannot bind the one, and cannot even read the other."""
    journal, rows = Journal(tmp_path / "bus.db"), list[int]()
    with pytest.raises(error):
        await asyncio.wait_for(journal.add([queue], body, rows.extend), PATIENCE)
    await asyncio.wait_for(journal.add(["queue"], b"{}", rows.extend), PATIENCE)
    assert await journal.left("queue") == [(rows[0], b"{}")]
    await journal.close()


async def test_a_check_of_a_closed_bus_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "bus.db")
    await journal.close()
    with pytest.raises(UnavailableError, match="closed"):
        await journal.check()
