"""What is looked at now and then while a command waits for a job: nobody waits for ever without a word."""

import sys
import time
from collections.abc import Callable

from shared.health import Check
from shared.models import Job, JobState

CHECKS = 5.0  # seconds between checks of store and bus
QUEUED = 30.0  # seconds a job may stay queued before a person is told why that may be
NOBODY = "No summarizer has taken the job yet: is `insights serve summarizer` running?"


class Patience:
    """Of one wait. `alone`: the services run in this process, so that somebody takes the job for sure."""

    def __init__(self, check: Check, *, alone: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._clock = clock
        self._told = alone
        self._began = clock()
        self._next = self._began + CHECKS

    async def look(self, job: Job) -> None:
        """Raises UnavailableError, with a sentence, where store, bus or a service of this process does not work."""
        at = self._clock()
        if at >= self._next:
            self._next = at + CHECKS
            await self._check()
        if not self._told and job.state is JobState.QUEUED and at - self._began >= QUEUED:
            self._told = True
            print(NOBODY, file=sys.stderr)
