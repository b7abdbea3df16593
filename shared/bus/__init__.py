"""What a service sees of the bus: a Router to subscribe on, and `publish` to send with.

A service records its routes at import; `connect` binds them to the bus that a URL names. Both buses promise the
same: at least once to every group, no order between events, and what an event's handler cannot do becomes a dead
letter (`delivery.py`).
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from shared.errors import UsageError
from shared.events import DeadLetter, Event

Handler = Callable[..., Coroutine[Any, Any, None]]


class Publish(Protocol):
    async def __call__(self, event: Event | DeadLetter) -> None:
        """Return when the event is durable. Raises UnavailableError or RefusedError."""


def bind(function: Handler, dependencies: Mapping[str, Any], *, given: int) -> Handler:
    """`function` with what it asks for by name, after its first `given` parameters. TypeError if that is missing."""
    wanted = list(inspect.signature(function).parameters)[given:]
    if missing := [name for name in wanted if name not in dependencies]:
        raise TypeError(f"{function.__qualname__} asks for {', '.join(missing)}, which nobody provides")
    return partial(function, **{name: dependencies[name] for name in wanted})


@dataclass(frozen=True)
class Route:
    """One event's handler. `windowed` routes run many events at once; the others one at a time."""

    group: str
    event: type[Event]
    handler: Handler
    windowed: bool

    @property
    def name(self) -> str:
        return f"{self.group}.{self.handler.__name__}"

    def bind(self, dependencies: Mapping[str, Any]) -> Handler:
        return bind(self.handler, dependencies, given=1)


@dataclass(frozen=True)
class Router:
    """The subscriptions of one service, and what it does besides; its processes share the consumer group."""

    group: str
    routes: list[Route] = field(default_factory=list)
    tasks: list[Handler] = field(default_factory=list)

    def subscriber(self, event: type[Event], *, windowed: bool = False) -> Callable[[Handler], Handler]:
        def record(handler: Handler) -> Handler:
            self.routes.append(Route(self.group, event, handler, windowed))
            return handler

        return record

    def background(self, task: Handler) -> Handler:
        """`task` runs, with what it asks for by name, as long as the process does."""
        self.tasks.append(task)
        return task


class Bus(Protocol):
    """`publish` may be called once `start` has returned; no handler runs after `stop` has.

    `failed` is set if an event could neither be handled nor buried: the process must end, and the event comes again.
    """

    failed: asyncio.Event

    def include_router(self, router: Router, dependencies: Mapping[str, Any]) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def publish(self, event: Event | DeadLetter) -> None: ...

    async def check(self) -> None:
        """Raise UnavailableError, with a sentence, where the bus does not answer or does not deliver."""


def connect(
    url: str,
    *,
    slots: int,
    path: Path | None = None,
    client_id: str = "insights",
    session_timeout: float = 45.0,
    grace: float = 40.0,
) -> Bus:
    """The bus behind `local` (on the file `path`) or `kafka://host:port,host:port`, not yet started.

    `slots`: events in work at once in a windowed route. `session_timeout` is in seconds, for Kafka alone. `grace`:
    seconds that `stop` waits for handlers.
    """
    if url == "local":
        if path is None:
            raise UsageError("The local bus needs a file: give its path.")
        from shared.bus.local import LocalBus

        return LocalBus(path, slots=slots, grace=grace)
    scheme, _, servers = url.partition("://")
    if scheme != "kafka" or not servers:
        raise UsageError(f"The bus is {url!r}: expected local, or kafka://host:port[,host:port].")
    from shared.bus.kafka import KafkaBus

    return KafkaBus(servers, slots=slots, client_id=client_id, session_timeout=session_timeout, grace=grace)
