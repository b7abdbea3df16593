"""A route as a bus runs it: bytes go to its Delivery until that has returned."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from shared.bus import Route
from shared.bus.delivery import Delivery

log = logging.getLogger(__name__)

PAUSE = 0.1


class Subscription:
    """`failed` is set if an event can neither be handled nor buried: the process must end, and the event comes again.

    `topic` is the event's, `name` the consumer group of this route alone: groups with several topics would disturb
    each other at every start and stop.
    """

    def __init__(self, route: Route, dependencies: Mapping[str, Any], failed: asyncio.Event) -> None:
        self.topic = route.event.topic
        self.name = f"{route.group}.{self.topic.removeprefix('insights.')}"
        self.windowed = route.windowed
        self._delivery = Delivery(route, dependencies)
        self._failed = failed

    async def deliver(self, body: bytes) -> None:
        """Return when the event is done with. A task's own cancellation goes on, one that a handler met does not."""
        while True:
            try:
                return await self._delivery(body)
            except asyncio.CancelledError:
                if _is_being_cancelled():
                    raise
                log.warning("%s: a handler waited for a task that was cancelled. Trying again.", self.name)
                await asyncio.sleep(PAUSE)
            except Exception:
                log.critical("%s: an event could not be delivered", self.name, exc_info=True)
                self._failed.set()
                raise


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
