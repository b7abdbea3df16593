"""Whether a consumer takes part in its group."""

from collections.abc import Collection
from time import monotonic

from aiokafka import ConsumerRebalanceListener, TopicPartition


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """Told by aiokafka when a rebalance begins (`revoked`) and when it is over (`assigned`)."""

    def __init__(self) -> None:
        self._left: float | None = monotonic()

    def away(self) -> float:
        """Seconds since the consumer last was in its group; 0 where it is, be it without a partition."""
        return 0.0 if self._left is None else monotonic() - self._left

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if self._left is None:
            self._left = monotonic()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._left = None
