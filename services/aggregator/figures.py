"""The figures of a group of items: counts, rates, percentiles and sums over what is known, and over how many that is.

Exact: percentiles interpolate linearly over every value, money is summed without rounding, and the order in which
items come does not matter. What nobody knows is None beside an n of 0, never 0.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from shared.models import Facts

LARGEST = 2**53  # no measurement of a trace is beyond it, and sums of fewer than 2**53 such numbers stay finite
NAMES = 1_000  # feedback keys come from clients: more than this many are not followed
SHOWN_NAMES = 100
DISTINCT = 1_000  # an attribute with more values than this is free text, which has no table of values
SHOWN_VALUES = 10
VALUE_LENGTH = 200


class Tally:
    """Figures of items that come one by one: 8 bytes a known number, nothing else is kept of an item."""

    def __init__(self) -> None:
        self._count = 0
        self._error_n = 0
        self._errors = 0
        self._latencies = array("d")
        self._costs = array("d")
        self._total_tokens = array("d")
        self._prompt_tokens = array("d")
        self._completion_tokens = array("d")
        self._feedback: dict[str, array[float]] = {}
        self._attributes: dict[str, _Attribute] = {}

    def add(self, facts: Facts, attributes: Mapping[str, Any] | None = None) -> None:
        self._count += 1
        if facts.error is not None:
            self._error_n += 1
            self._errors += facts.error
        _keep(self._latencies, facts.latency)
        _keep(self._costs, facts.total_cost)
        _keep(self._total_tokens, facts.total_tokens)
        _keep(self._prompt_tokens, facts.prompt_tokens)
        _keep(self._completion_tokens, facts.completion_tokens)
        for key, score in facts.feedback.items():
            if key in self._feedback or len(self._feedback) < NAMES:
                _keep(self._feedback.setdefault(key, array("d")), score, lowest=-LARGEST)
        for name, value in (attributes or {}).items():
            self._attributes.setdefault(name, _Attribute()).add(value)

    def result(self, *, whole: int | None = None) -> dict[str, Any]:
        """Latencies in seconds, costs in dollars, rates 0..1; `share` (0..1) only where the size of the whole is given.

        Names are those of LangSmith's run statistics; `*_n` is over how many items the figures before it are.
        """
        found: dict[str, Any] = {"run_count": self._count}
        if whole is not None:
            found["share"] = self._count / whole if whole else None
        found["error_rate"] = self._errors / self._error_n if self._error_n else None
        found["error_n"] = self._error_n
        found.update(_percentiles("latency", self._latencies, (50, 95, 99)), latency_n=len(self._latencies))
        found["total_tokens"] = _whole_sum(self._total_tokens)
        found["prompt_tokens"] = _whole_sum(self._prompt_tokens)
        found["completion_tokens"] = _whole_sum(self._completion_tokens)
        found.update(median_tokens=_percentile(self._total_tokens, 50), tokens_n=len(self._total_tokens))
        found["total_cost"] = math.fsum(self._costs) if self._costs else None
        found.update(_percentiles("cost", self._costs, (50,)), cost_n=len(self._costs))
        found["feedback_stats"] = self._feedback_stats()
        found["attributes"] = {name: self._attributes[name].result() for name in sorted(self._attributes)}
        return found

    def _feedback_stats(self) -> dict[str, dict[str, Any]]:
        known = [(key, scores) for key, scores in self._feedback.items() if scores]
        most = sorted(known, key=lambda pair: (-len(pair[1]), pair[0]))[:SHOWN_NAMES]
        return {key: {"n": len(scores), **_spread(scores)} for key, scores in sorted(most)}


class _Attribute:
    """One attribute's values: a table of those that come most often, and the spread of numbers."""

    def __init__(self) -> None:
        self._n = 0
        self._numbers = array("d")
        self._values: Counter[str] | None = Counter()

    def add(self, value: Any) -> None:
        if isinstance(value, bool):
            self._count("true" if value else "false")
        elif isinstance(value, int | float):
            before = len(self._numbers)
            _keep(self._numbers, value, lowest=-LARGEST)
            self._n += len(self._numbers) - before
        elif isinstance(value, str):
            self._count(value)

    def _count(self, value: str) -> None:
        self._n += 1
        if self._values is None:
            return
        self._values[value] += 1
        if len(value) > VALUE_LENGTH or len(self._values) > DISTINCT:
            self._values = None

    def result(self) -> dict[str, Any]:
        """`values` is None for free text, and not there for numbers; `distinct` counts all values."""
        found: dict[str, Any] = {"n": self._n}
        if self._values is None:
            found.update(values=None, distinct=None)
        elif self._values:
            most = sorted(self._values.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN_VALUES]
            found.update(values=dict(most), distinct=len(self._values))
        if self._numbers:
            found.update(_spread(self._numbers), p50=_percentile(self._numbers, 50))
        return found


def figures(
    facts: Iterable[Facts], attributes: Sequence[Mapping[str, Any]] | None = None, *, whole: int | None = None
) -> dict[str, Any]:
    """The figures of a group that is at hand; `attributes` are its items' own, in the same order."""
    tally = Tally()
    if attributes is None:
        for one in facts:
            tally.add(one)
    else:
        for one, values in zip(facts, attributes, strict=True):
            tally.add(one, values)
    return tally.result(whole=whole)


def _keep(numbers: "array[float]", value: float | None, *, lowest: float = 0) -> None:
    """NaN, infinity and what no clock or meter can show are unknown."""
    if value is not None and lowest <= value <= LARGEST:
        numbers.append(value)


def _percentile(numbers: "array[float]", percent: float) -> float | None:
    return float(np.percentile(np.frombuffer(numbers), percent)) if numbers else None


def _percentiles(name: str, numbers: "array[float]", percents: Sequence[int]) -> dict[str, float | None]:
    return {f"{name}_p{percent}": _percentile(numbers, percent) for percent in percents}


def _whole_sum(numbers: "array[float]") -> int | None:
    return sum(map(int, numbers)) if numbers else None


def _spread(numbers: "array[float]") -> dict[str, float]:
    """Mean, extremes and the standard deviation of these values (not an estimate for more)."""
    mean = math.fsum(numbers) / len(numbers)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / len(numbers))
    return {"avg": mean, "min": min(numbers), "max": max(numbers), "stdev": deviation}
