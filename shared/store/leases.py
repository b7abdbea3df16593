"""Who owns a lease, and under which fence: the rule that both stores share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """`until` is in microseconds since 1970; without an owner the lease is free. The fence outlives every owner."""

    owner: str | None = None
    until: int = 0
    fence: int = 0

    def fence_for(self, owner: str, at: int) -> int | None:
        """The fence under which `owner` may hold it at time `at`; None while another does.

        An owner that let it lapse gets a new fence, since what it did meanwhile may be stale.
        """
        if self.owner is None or self.until <= at:
            return self.fence + 1
        return self.fence if self.owner == owner else None


def lapse(at: int, seconds: float) -> int:
    """When a lease that is taken at `at` for so many seconds ends."""
    return at + round(seconds * 1_000_000)
