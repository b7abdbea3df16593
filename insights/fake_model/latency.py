"""How long an answer takes: drawn by a hash of the request, so that a run can be repeated."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from shared.errors import UsageError

_NORMAL = NormalDist()
_LONGEST = 3_600.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Lognormal with this `mean` in seconds; `sigma` is the deviation of its logarithm, 0 for a fixed latency."""

    mean: float = 0.0
    sigma: float = 0.0

    def seconds(self, place: float) -> float:
        """The quantile at `place` in [0, 1)."""
        if self.mean == 0 or self.sigma == 0:
            return self.mean
        quantile = _NORMAL.inv_cdf(min(max(place, 1e-9), 1 - 1e-9))
        return min(_LONGEST, math.exp(math.log(self.mean) - self.sigma**2 / 2 + self.sigma * quantile))


def parse(text: str) -> Latency:
    """Of `none`, `fixed:SECONDS` or `lognormal:MEAN,SIGMA`. UsageError for anything else."""
    kind, _, rest = text.partition(":")
    wanted = {"none": 0, "fixed": 1, "lognormal": 2}.get(kind)
    try:
        numbers = [float(part) for part in rest.split(",")] if rest else []
    except ValueError:
        numbers = [-1.0]
    if len(numbers) != wanted or not all(0 <= number <= _LONGEST for number in numbers):
        raise UsageError(f"--latency {text!r} is none of: none, fixed:0.2 (seconds), lognormal:4,0.5 (mean, sigma).")
    return Latency(*numbers)
