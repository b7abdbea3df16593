"""What is looked at now and then while a command waits for a job: nobody waits for ever without a word."""

import sys
import time
from collections.abc import Callable

from shared.health import Check
from shared.models import Job, JobState

CHECKS = 5.0  # seconds between checks of store and bus
QUEUED = 30.0  # seconds a job may stay queued before a person is told why that may be
AWAY = "Waiting for the model, and going on as soon as it answers: {}"
NOBODY = "No summarizer has taken the job yet: is `insights serve summarizer` running?"


class Patience:
    """Of one wait. `alone`: the services run in this process, so that somebody takes the job for sure.

    `trouble`: why a model does not answer at present.
    """

    def __init__(
        self,
        check: Check,
        *,
        alone: bool,
        trouble: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check, self._trouble = check, trouble
        self._away = False  # whether that was said
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
            self._say_trouble()
        if not self._told and job.state is JobState.QUEUED and at - self._began >= QUEUED:
            self._told = True
            print(NOBODY, file=sys.stderr)

    def _say_trouble(self) -> None:
        """Once for each time that the model's endpoint is away."""
        trouble = self._trouble()
        if trouble is not None and not self._away:
            print(AWAY.format(trouble), file=sys.stderr)
        self._away = trouble is not None
