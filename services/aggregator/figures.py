"""The figures of groups of items: counts, rates, percentiles and sums over what is known, and over how many that is.

Exact: percentiles interpolate linearly over every value, money is summed without rounding, and the order in which
items come does not matter. What nobody knows is None beside an n of 0, never 0.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.aggregator.aspects import Aspect, Boolean, Number, inside, of_schema
from services.aggregator.columns import LARGEST, Array, Column, Group
from services.aggregator.contrasts import Contrast
from shared.job_config import AttributeSchema
from shared.models import Facts

NAMES = 1_000  # feedback keys come from clients: more than this many are not followed
SHOWN_NAMES = 100
MEASURES = ("latency", "total_cost", "total_tokens", "prompt_tokens", "completion_tokens")
FACTS: Mapping[str, type[Aspect]] = {  # of a Conduct, but for the effort
    "user_turns": Number,
    "tool_calls": Number,
    "tool_errors": Number,
    "last_result_error": Boolean,
    "repeated_calls": Number,
    "handed_over": Boolean,
    "refusal": Boolean,
    "ends_in_question": Boolean,
    "effort": Number,
}


class Table:
    """What is known of items that come one by one, in columns; then the figures of each cluster and of the whole."""

    def __init__(self, schemas: Mapping[str, AttributeSchema] | None = None) -> None:
        self._places: dict[tuple[str, ...], int] = {}
        self._counts: Counter[int] = Counter()  # of items, by place
        self._ended: Counter[int] = Counter()
        self._errors: Counter[int] = Counter()
        self._measures = {name: Column() for name in MEASURES}
        self._feedback: dict[str, Column] = {}
        self._facts = [kind("facts", name) for name, kind in FACTS.items()]
        self._attributes = [of_schema(name, schema) for name, schema in (schemas or {}).items()]

    def add(
        self,
        path: Sequence[str],
        facts: Facts,
        attributes: Mapping[str, Any] | None = None,
        effort: float | None = None,
    ) -> None:
        """`path`: the ids of the clusters that the item lies in."""
        place = self._places.setdefault(tuple(path), len(self._places))
        self._counts[place] += 1
        if facts.error is not None:
            self._ended[place] += 1
            self._errors[place] += facts.error
        for name, column in self._measures.items():
            column.add(place, getattr(facts, name))
        for key, score in facts.feedback.items():
            if key in self._feedback or len(self._feedback) < NAMES:
                self._feedback.setdefault(key, Column()).add(place, score, lowest=-LARGEST)
        for aspect in self._attributes:
            aspect.add(place, (attributes or {}).get(aspect.name))
        for aspect in self._facts:
            aspect.add(place, effort if aspect.name == "effort" else getattr(facts.conduct, aspect.name, None))

    @property
    def size(self) -> int:
        """How many items there are."""
        return self._counts.total()

    def whole(self) -> dict[str, Any]:
        """Of all items; there is no rest to compare with, and no share."""
        return self._figures(self._group(None), None)

    def cluster(self, cluster_id: str) -> dict[str, Any]:
        """Of the items in this cluster, with the attributes and facts of all others beside theirs."""
        group, rest = self._group(cluster_id), self._group(cluster_id, others=True)
        return self._figures(group, rest)

    def contrasts(self, cluster_id: str) -> list[Contrast]:
        """All that can be compared between this cluster and the rest."""
        group, rest = self._group(cluster_id), self._group(cluster_id, others=True)
        return [one for aspect in (*self._facts, *self._attributes) for one in aspect.contrasts(group, rest)]

    def _group(self, cluster_id: str | None, *, others: bool = False) -> Group:
        places = np.array([cluster_id is None or cluster_id in path for path in self._places], bool) ^ others
        return Group(places, sum(n for place, n in self._counts.items() if places[place]))

    def _figures(self, group: Group, rest: Group | None) -> dict[str, Any]:
        """Latencies in seconds, costs in dollars, rates 0..1.

        Names are those of LangSmith's run statistics; `*_n` is over how many items the figures before it are.
        """
        found: dict[str, Any] = {"run_count": group.size}
        if rest is not None:
            whole = group.size + rest.size
            found["share"] = group.size / whole if whole else None
        found |= self._error_rate(group)
        latency, cost, tokens, prompt, completion = (self._measures[name].of(group) for name in MEASURES)
        found |= _percentiles("latency", latency, (50, 95, 99)) | {"latency_n": len(latency)}
        found |= {"total_tokens": _whole_sum(tokens), "prompt_tokens": _whole_sum(prompt)}
        found |= {"completion_tokens": _whole_sum(completion)}
        found |= {"median_tokens": _percentile(tokens, 50), "tokens_n": len(tokens)}
        found |= {"total_cost": math.fsum(cost.tolist()) if len(cost) else None}
        found |= _percentiles("cost", cost, (50,)) | {"cost_n": len(cost)}
        found["feedback_stats"] = self._feedback_stats(group)
        found["attributes"] = {aspect.name: aspect.figure(group, rest) for aspect in self._attributes}
        found["facts"] = {aspect.name: aspect.figure(group, rest) for aspect in self._facts}
        return found

    def _error_rate(self, group: Group) -> dict[str, Any]:
        n = inside(self._ended, group)
        return {"error_rate": inside(self._errors, group) / n if n else None, "error_n": n}

    def _feedback_stats(self, group: Group) -> dict[str, dict[str, Any]]:
        known = [(key, scores) for key, column in self._feedback.items() if len(scores := column.of(group))]
        most = sorted(known, key=lambda pair: (-len(pair[1]), pair[0]))[:SHOWN_NAMES]
        return {key: {"n": len(scores), **_spread(scores)} for key, scores in sorted(most, key=lambda pair: pair[0])}


def _percentile(numbers: Array, percent: float) -> float | None:
    return float(np.percentile(numbers, percent)) if len(numbers) else None


def _percentiles(name: str, numbers: Array, percents: Sequence[int]) -> dict[str, float | None]:
    return {f"{name}_p{percent}": _percentile(numbers, percent) for percent in percents}


def _whole_sum(numbers: Array) -> int | None:
    return sum(map(int, numbers.tolist())) if len(numbers) else None


def _spread(numbers: Array) -> dict[str, float]:
    """Mean, extremes and the standard deviation of these values (not an estimate for more)."""
    mean = math.fsum(numbers.tolist()) / len(numbers)
    deviation = math.sqrt(math.fsum(((numbers - mean) ** 2).tolist()) / len(numbers))
    return {"avg": mean, "min": float(numbers[0]), "max": float(numbers[-1]), "stdev": deviation}
