"""A process that may be killed: prints the id of each item that it has handled. Arguments: servers, topic."""

import asyncio
import sys

from shared.bus import Router
from shared.bus.kafka import KafkaBus
from shared.events import ItemEvent
from tests.contract.bus_world import FakeStore


async def main(servers: str, topic: str) -> None:
    event = type("Tested", (ItemEvent,), {"topic": topic, "__module__": __name__})
    router = Router("group")

    @router.subscriber(event, windowed=True)
    async def work(event: ItemEvent) -> None:
        await asyncio.sleep(0.02 * (1 + hash(event.item_id) % 10))  # later ones end before earlier ones
        print(event.item_id, flush=True)

    bus = KafkaBus(servers, slots=10, session_timeout=6.0)
    bus.include_router(router, {"store": FakeStore()})
    await bus.start()
    await bus.failed.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
