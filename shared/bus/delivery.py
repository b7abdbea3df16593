"""What happens to an event, once for both buses: decode, run its handler, try again, or make it a dead letter.

    UnavailableError        store or bus is away: wait and try again, for ever, at no cost of tries
    RefusedError            TRIES tries
    any other error         dead at once: a handler that fails on its input fails on it again

A dead item event ends its item in `failed`, a dead job event its job in `error`, both with a sentence; then the event
becomes `insights.dead`. A dead job.requested that no job came of is answered with job.reported all the same. Nothing
here raises but a cancellation, so an event is never lost and never loops.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any

from pydantic import ValidationError

from shared import metrics
from shared.bus import Publish, Route
from shared.ending import end_item, fail_job, refuse_job
from shared.errors import InsightsError, InvalidEventError, RefusedError, UnavailableError
from shared.events import DeadLetter, Event, ItemEvent, JobRequested
from shared.job_config import sentence
from shared.models import ItemState
from shared.store import Store
from shared.wording import clean

log = logging.getLogger(__name__)

TRIES = 5
FIRST_WAIT = 0.05  # seconds
BODY_LENGTH = 10_000


class Delivery:
    """One route, bound to what its handler asks for. Called with the bytes of an event; returns when it is done with.

    `dependencies` holds at least `store` and `publish`.
    """

    def __init__(self, route: Route, dependencies: Mapping[str, Any], *, longest_wait: float = 5.0) -> None:
        self.route = route
        self._handle = route.bind(dependencies)
        self._store: Store = dependencies["store"]
        self._publish: Publish = dependencies["publish"]
        self._longest_wait = longest_wait

    async def __call__(self, body: bytes) -> None:
        name, begun = self.route.name, monotonic()
        with metrics.IN_FLIGHT.labels(name).track_inprogress():
            await self._deliver(body)
        metrics.EVENT_SECONDS.labels(name).observe(monotonic() - begun)

    async def _deliver(self, body: bytes) -> None:
        event: Event | None = None
        tries = _Tries(TRIES)
        try:
            event = self._decode(body)
            await self._persist(partial(self._handle, event), tries)
        except Exception as error:  # noqa: BLE001  nothing is hidden: it is logged, counted and buried with its reason
            await self._persist(partial(self._bury, event, body, error, tries.refused + 1), _Tries(None))
        else:
            metrics.EVENTS.labels(self.route.name, "done").inc()

    def _decode(self, body: bytes) -> Event:
        try:
            return self.route.event.model_validate_json(body)
        except ValidationError as error:
            raise InvalidEventError(f"This is no {self.route.event.topic}: {sentence(error)}") from error

    async def _persist(self, work: Callable[[], Awaitable[None]], tries: "_Tries") -> None:
        """Until `work` succeeds, fails for good, or its tries are used up; with growing, random pauses in between."""
        pause = FIRST_WAIT
        while True:
            try:
                return await work()
            except (UnavailableError, RefusedError) as error:
                if tries.used_up_by(error):
                    raise
                outcome = "waited" if isinstance(error, UnavailableError) else "retried"
                metrics.EVENTS.labels(self.route.name, outcome).inc()
                log.warning("%s: %s Trying again.", self.route.name, error)
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, self._longest_wait)

    async def _bury(self, event: Event | None, body: bytes, error: Exception, attempts: int) -> None:
        """End what the event was about, then publish it as a dead letter."""
        reason = clean(str(error) if isinstance(error, InsightsError) else f"{type(error).__name__}: {error}")
        log.error("%s: an event is dead: %s", self.route.name, reason, exc_info=error, extra=_ids(event))
        if event is not None:
            await self._end(event, reason)
        letter = DeadLetter(
            group=self.route.group,
            source=self.route.event.topic,
            reason=reason[:BODY_LENGTH],
            attempts=attempts,
            body=body[:BODY_LENGTH].decode(errors="replace"),
            **_ids(event),
        )
        await self._publish(letter)
        metrics.EVENTS.labels(self.route.name, "dead").inc()
        metrics.DEAD_LETTERS.labels(self.route.name).inc()

    async def _end(self, event: Event, reason: str) -> None:
        """The end of the item or the job that the event was about."""
        about = (self._store, self._publish, event.workspace_id, event.job_id)
        if isinstance(event, ItemEvent):
            await end_item(*about, event.item_id, ItemState.FAILED, reason)
        elif isinstance(event, JobRequested):
            await refuse_job(*about, reason)
        else:
            await fail_job(*about, reason)


class _Tries:
    """How often an event was refused, of at most `limit` (None: no limit); waiting for what is away is not counted."""

    def __init__(self, limit: int | None) -> None:
        self.refused = 0
        self._limit = limit

    def used_up_by(self, error: UnavailableError | RefusedError) -> bool:
        if isinstance(error, UnavailableError) or self._limit is None:
            return False
        if self.refused + 1 >= self._limit:
            return True
        self.refused += 1
        return False


def _ids(event: Event | None) -> dict[str, str]:
    """The ids of an event, for a log line and a dead letter."""
    names = ("workspace_id", "job_id", "item_id")
    return {name: getattr(event, name) for name in names if hasattr(event, name)}
