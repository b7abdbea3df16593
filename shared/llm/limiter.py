"""How many calls an endpoint takes at once: additive increase, multiplicative decrease, as TCP does (Chiu, Jain 1989).

An answer raises the limit by a part, so that a whole round of answers raises it by one; a 429 halves it, once for all
the calls that were in flight then, since they all tell of the same moment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter

from shared import metrics

CEILING = 256  # calls at once, however quiet the endpoint


class Limiter:
    """Starts from `limit` calls at once, and stays between 1 and `ceiling`."""

    def __init__(self, limit: int, ceiling: int = CEILING) -> None:
        self._limit = float(limit)
        self._ceiling = max(limit, ceiling)
        self._capacity = CapacityLimiter(limit)
        self._epoch = 0  # how often it was lowered
        metrics.MODEL_LIMIT.set(limit)

    @property
    def limit(self) -> int:
        return int(self._limit)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Wait for a place; gives the epoch to tell `refused` of."""
        async with self._capacity:
            yield self._epoch

    def refused(self, epoch: int) -> None:
        """A call that began in `epoch` was told that there are too many."""
        if epoch == self._epoch:
            self._epoch += 1
            self._set(max(1.0, self._limit / 2))

    def answered(self) -> None:
        """A call was answered."""
        self._set(min(float(self._ceiling), self._limit + 1 / self._limit))

    def _set(self, limit: float) -> None:
        self._limit = limit
        if self._capacity.total_tokens != self.limit:
            self._capacity.total_tokens = self.limit
            metrics.MODEL_LIMIT.set(self.limit)
