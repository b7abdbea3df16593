"""What a service sees of the bus: a Router to subscribe on, and `publish` to send with.

A service records its routes at import; `connect` binds them to the bus that a URL names. Both buses promise the
same: at least once to every group, no order between events, and what an event's handler cannot do becomes a dead
letter (`delivery.py`).
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from shared.events import DeadLetter, Event

Handler = Callable[..., Awaitable[None]]


class Publish(Protocol):
    async def __call__(self, event: Event | DeadLetter) -> None:
        """Return when the event is durable. Raises UnavailableError or RefusedError."""


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

    def bind(self, dependencies: Mapping[str, Any]) -> Callable[[Event], Awaitable[None]]:
        """The handler with what it asks for by parameter name; a TypeError names what is missing, at start."""
        wanted = list(inspect.signature(self.handler).parameters)[1:]
        if missing := [name for name in wanted if name not in dependencies]:
            raise TypeError(f"{self.name} asks for {', '.join(missing)}, which nobody provides")
        return partial(self.handler, **{name: dependencies[name] for name in wanted})


@dataclass(frozen=True)
class Router:
    """The subscriptions of one service; all processes of the service share its consumer group."""

    group: str
    routes: list[Route] = field(default_factory=list)

    def subscriber(self, event: type[Event], *, windowed: bool = False) -> Callable[[Handler], Handler]:
        def record(handler: Handler) -> Handler:
            self.routes.append(Route(self.group, event, handler, windowed))
            return handler

        return record


class Bus(Protocol):
    """`publish` may be called once `start` has returned; no handler runs after `stop` has."""

    def include_router(self, router: Router, dependencies: Mapping[str, Any]) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def publish(self, event: Event | DeadLetter) -> None: ...

    async def check(self) -> None:
        """Raise UnavailableError, with a sentence, where the bus does not answer or does not deliver."""
