"""What happens to an event, once for both buses: decode, run its handler, try again, or make it a dead letter.

    UnavailableError        store or bus is away: wait and try again, for ever, at no cost of tries
    RefusedError            TRIES tries
    BudgetError             of an item event: the item is left out and the job goes on, which is no failure
    any other error         dead at once: a handler that fails on its input fails on it again

A dead item event ends its item in `failed`, a dead job event its job in `error`, both with a sentence; then the event
becomes `insights.dead`. A JobError ends the job whatever the event was about; other items of the job that are on their
way then meet the same error, and end without a word. A dead job.requested that no job came of is answered with
job.reported all the same. Nothing here raises but a cancellation, so an event is never lost and never loops.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from pydantic import ValidationError

from shared import metrics
from shared.bus import Publish, Route
from shared.ending import UNFINISHED, end_item, fail_job, refuse_job
from shared.errors import (
    BudgetError,
    InsightsError,
    InvalidEventError,
    ItemError,
    JobError,
    RefusedError,
    UnavailableError,
    UsageError,
)
from shared.events import DeadLetter, Event, ItemEvent, JobRequested
from shared.job_config import sentence
from shared.models import ItemState
from shared.store import Store
from shared.wording import clean

log = logging.getLogger(__name__)

T = TypeVar("T")
TRIES = 5
FIRST_WAIT = 0.05  # seconds
BODY_LENGTH = 10_000
REMEMBERED = 100  # jobs that have failed
FORESEEN = (JobError, ItemError, UsageError)  # of which the sentence says all


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
        self._failing = asyncio.Lock()
        self._failed: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)

    async def __call__(self, body: bytes) -> None:
        name, begun = self.route.name, monotonic()
        with metrics.IN_FLIGHT.labels(name).track_inprogress():
            await self._deliver(body)
        metrics.EVENT_SECONDS.labels(name).observe(monotonic() - begun)

    async def _deliver(self, body: bytes) -> None:
        event: Event | None = None
        tries = _Tries(TRIES)
        outcome = "done"
        try:
            event = self._decode(body)
            await self._persist(partial(self._handle, event), tries)
        except Exception as error:  # nothing is hidden: it is logged, counted and buried with its reason
            reason = clean(str(error) if isinstance(error, InsightsError) else f"{type(error).__name__}: {error}")
            if event is None or await self._end(event, error, reason):
                trace = None if isinstance(error, FORESEEN) else error
                log.error("%s: an event is dead: %s", self.route.name, reason, exc_info=trace, extra=_ids(event))
                await self._surely(partial(self._bury, event, body, reason, tries.refused + 1))
                outcome = "dead"
        metrics.EVENTS.labels(self.route.name, outcome).inc()

    def _decode(self, body: bytes) -> Event:
        try:
            return self.route.event.model_validate_json(body)
        except ValidationError as error:
            raise InvalidEventError(f"This is no {self.route.event.topic}: {sentence(error)}") from error

    async def _surely(self, work: Callable[[], Awaitable[T]]) -> T:
        """However often it is refused."""
        return await self._persist(work, _Tries(None))

    async def _persist(self, work: Callable[[], Awaitable[T]], tries: "_Tries") -> T:
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

    async def _end(self, event: Event, error: Exception, reason: str) -> bool:
        """End the item or the job that the event was about. False if the event need not become a dead letter."""
        about = (self._store, self._publish, event.workspace_id, event.job_id)
        match event, error:
            case ItemEvent(), BudgetError():
                await self._surely(partial(end_item, *about, event.item_id, ItemState.LEFT_OUT, reason))
                return False
            case ItemEvent(), JobError():
                return await self._fail_job(event, reason)
            case ItemEvent(), _:
                await self._surely(partial(end_item, *about, event.item_id, ItemState.FAILED, reason))
            case JobRequested(), _:
                await self._surely(partial(refuse_job, *about, reason))
            case _:
                await self._surely(partial(fail_job, *about, reason))
        return True

    async def _fail_job(self, event: ItemEvent, reason: str) -> bool:
        """For the first of the items that meet a JobError; False where the job has ended before.

        Where it ended in another process, its end is announced again: that process may have died before it did.
        """
        key = (event.workspace_id, event.job_id)
        async with self._failing:
            if key in self._failed:
                return False
            job = await self._surely(partial(self._store.job, *key))
            await self._surely(partial(fail_job, self._store, self._publish, *key, reason))
            self._failed.append(key)
        return job is None or job.state in UNFINISHED

    async def _bury(self, event: Event | None, body: bytes, reason: str, attempts: int) -> None:
        letter = DeadLetter(
            group=self.route.group,
            source=self.route.event.topic,
            reason=reason[:BODY_LENGTH],
            attempts=attempts,
            body=body[:BODY_LENGTH].decode(errors="replace"),
            **_ids(event),
        )
        await self._publish(letter)
        metrics.DEAD_LETTERS.labels(self.route.name).inc()


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
