"""The figures of many runs, by LangSmith's names: money is summed without rounding, percentiles interpolate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from shared.feedback import joined
from shared.matching import Criteria, find_page
from shared.models import Feedback, Project, Run
from shared.store import Store
from shared.store.queries import Place, Wanted
from shared.traces.times import text_of

MOST = 100_000  # runs that one answer looks at
OF_PROJECT = 10_000
_SUMS = ("total_tokens", "prompt_tokens", "completion_tokens", "total_cost", "prompt_cost", "completion_cost")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept of a run until all are there."""

    id: str
    parent: str | None
    figures: tuple[float | None, ...]


@dataclass
class RunStats:
    """Usage of a run inside one that tells the same figure is not counted again: a parent often repeats its child's."""

    latencies: list[float] = field(default_factory=list)
    first_tokens: list[float] = field(default_factory=list)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    last_start: int | None = None
    failed: int = 0
    ended: int = 0
    streamed: int = 0
    complete: bool = True
    _known: list[_Known] = field(default_factory=list)

    def add(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self._known.append(_Known(run.id, run.parent_run_id, tuple(getattr(run, name) for name in _SUMS)))
            self.ended += run.status in ("success", "error")
            self.failed += run.status == "error"
            if run.latency is not None:
                self.latencies.append(run.latency)
            if run.start_time is not None:
                self.last_start = max(run.start_time, self.last_start or run.start_time)
                if run.first_token_time is not None:
                    self.first_tokens.append((run.first_token_time - run.start_time) / 1_000_000)
            self.streamed += run.first_token_time is not None
            for key, one in run.feedback.items():
                self.feedback[key] = joined(self.feedback.get(key), one)

    def body(self) -> dict[str, Any]:
        count = len(self._known)
        counted = {name: self._outer(place) for place, name in enumerate(_SUMS)}
        tokens, costs = counted["total_tokens"], counted["total_cost"]
        return {
            "run_count": count,
            "latency_p50": percentile(self.latencies, 0.5),
            "latency_p99": percentile(self.latencies, 0.99),
            "first_token_p50": percentile(self.first_tokens, 0.5),
            "first_token_p99": percentile(self.first_tokens, 0.99),
            **{name: _total(name, found) for name, found in counted.items()},
            "median_tokens": percentile(tokens, 0.5),
            "tokens_p99": percentile(tokens, 0.99),
            "cost_p50": percentile(costs, 0.5),
            "cost_p99": percentile(costs, 0.99),
            "error_rate": self.failed / self.ended if self.ended else None,
            "streaming_rate": self.streamed / count if count else None,
            "last_run_start_time": None if self.last_start is None else text_of(self.last_start),
            "feedback_stats": {key: {"n": one.n, "avg": one.avg} for key, one in sorted(self.feedback.items())},
            "run_facets": [],
            "complete": self.complete,
        }

    def _outer(self, place: int) -> list[float]:
        """This figure of the runs that tell it, but for those right inside another that does."""
        telling = {one.id for one in self._known if one.figures[place] is not None}
        return [
            figure
            for one in self._known
            if (figure := one.figures[place]) is not None and (one.parent is None or one.parent not in telling)
        ]


async def run_stats(store: Store, wanted: Sequence[Wanted], criteria: Criteria, most: int = MOST) -> RunStats:
    """Of the newest `most` runs that match; `complete` says whether these are all."""
    stats = RunStats()
    after: Place | None = None
    looked = 0
    while looked < most:
        page = await find_page(store, wanted, criteria, after=after, limit=min(1_000, most - looked))
        stats.add(page.runs)
        looked += len(page.runs)
        after = page.next
        if after is None:
            return stats
    stats.complete = False
    return stats


async def project_stats(store: Store, project: Project) -> dict[str, Any]:
    """Of its traces, each by its root run: of the newest OF_PROJECT, but that all are counted."""
    wanted = Wanted(project.workspace_id, project.id, root=True)
    stats = await run_stats(store, [wanted], Criteria(), OF_PROJECT)
    return stats.body() | {"run_count": await store.count_runs(wanted)}


def percentile(numbers: Sequence[float], share: float) -> float | None:
    """None of none."""
    if not numbers:
        return None
    ordered = sorted(numbers)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _total(name: str, found: Sequence[float]) -> float | None:
    if not found:
        return None
    return int(sum(found)) if name.endswith("tokens") else fsum(found)
