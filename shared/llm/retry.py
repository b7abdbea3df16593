"""When a call is tried again: after what the endpoint asks for, else after a random time that grows."""

import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from shared.llm.verdicts import Ruling, Verdict

log = logging.getLogger(__name__)

T = TypeVar("T")
JITTER = wait_random_exponential(multiplier=0.5, max=20, exp_base=2)  # seconds, "full jitter"


class FailedError(Exception):
    """One attempt, with what follows from it."""

    def __init__(self, ruling: Ruling) -> None:
        super().__init__(ruling.sentence)
        self.ruling = ruling


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `attempts`, and none that would begin later than `seconds` after the first."""

    attempts: int
    seconds: float
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]  # seconds, monotonic
    now: Callable[[], datetime]

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """FailedError of the last attempt, or of one that is not worth trying again."""
        begun = self.clock()
        retrying = AsyncRetrying(
            sleep=self.sleep,
            wait=self._wait,
            stop=lambda state: (
                state.attempt_number >= self.attempts or self.clock() - begun + state.upcoming_sleep > self.seconds
            ),
            retry=retry_if_exception(_worth_trying),
            before_sleep=_tell,
            reraise=True,
        )
        return await retrying(attempt)

    def _wait(self, state: RetryCallState) -> float:
        own = JITTER(state)
        asked = asked_wait(_ruling(state), self.now())
        return own if asked is None else asked + own  # not all at the same moment


def asked_wait(ruling: Ruling, now: datetime) -> float | None:
    """Seconds that the endpoint asks to wait: by retry-after-ms, or Retry-After as seconds or as a date (RFC 9110)."""
    for text, unit in ((ruling.retry_after_ms, 1_000), (ruling.retry_after, 1)):
        try:
            seconds = float(text or "") / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        date = parsedate_to_datetime(ruling.retry_after or "")
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _worth_trying(error: BaseException) -> bool:
    return isinstance(error, FailedError) and error.ruling.verdict in (Verdict.AGAIN, Verdict.BUSY)


def _ruling(state: RetryCallState) -> Ruling:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, FailedError):
        raise TypeError("only a FailedError is tried again")
    return error.ruling


def _tell(state: RetryCallState) -> None:
    log.info("%s Trying again in %.1f s.", _ruling(state).sentence, state.upcoming_sleep)
