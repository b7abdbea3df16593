"""The traces that a reader should open first: at most ten, each with the reason.

`Shortlist` is fed every item of the sample and keeps a few of each category, so that a large sample streams.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.models import Cluster, Facts, HighlightedTrace
from shared.wording import money, seconds

MOST = 10
ERRORS = 4
SLOW = 3
DEAR = 3
TYPICAL = 5  # categories of which a typical trace is offered
STANDS_OUT = 1.5  # times the median of the whole sample
FULL = 64  # a list of this length is cut down to the ten that count


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may be shown. `run_id` is its latest root run; `cluster_id` the cluster of level 0 that it is in."""

    run_id: str
    cluster_id: str | None
    facts: Facts
    summary: str | None = None


@dataclass(slots=True)
class Shortlist:
    """The slowest, the dearest and the first failed items of each category: the most that `highlights` can use."""

    _kept: dict[tuple[str, str | None], list[tuple[float, str, Candidate]]] = field(default_factory=dict)

    def add(self, candidate: Candidate) -> None:
        facts = candidate.facts
        if facts.error:
            self._keep("error", candidate, 0.0)
        self._keep("slow", candidate, facts.latency)
        self._keep("dear", candidate, facts.total_cost)

    def candidates(self) -> list[Candidate]:
        """Sorted by run id, each once."""
        found = {run_id: candidate for kept in self._kept.values() for _, run_id, candidate in kept}
        return [found[run_id] for run_id in sorted(found)]

    def _keep(self, reason: str, candidate: Candidate, value: float | None) -> None:
        if value is None or not 0 <= value < float("inf"):
            return
        kept = self._kept.setdefault((reason, candidate.cluster_id), [])
        kept.append((-value, candidate.run_id, candidate))
        if len(kept) > FULL:
            kept[:] = heapq.nsmallest(MOST, kept, key=lambda one: one[:2])


@dataclass(frozen=True, slots=True)
class Picked:
    """One highlighted trace, with why it was picked and the top category that it is in."""

    candidate: Candidate
    kind: str
    top_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Standouts:
    """The top categories that stand out in a figure, by id."""

    failing: str | None = None
    slow: str | None = None
    dear: str | None = None


def pick(
    clusters: Sequence[Cluster], whole: Mapping[str, Any], candidates: Iterable[Candidate], standouts: Standouts
) -> list[Picked]:
    """Up to ten, in the order of their ranks: failed, slow, dear; ties by run id. A trace is picked once."""
    by_id = {cluster.id: cluster for cluster in clusters}
    everyone = [(one, _top(by_id, one.cluster_id)) for one in sorted(candidates, key=lambda one: one.run_id)]
    picked: dict[str, Picked] = {}
    for kind, limit, offers in (
        ("error", ERRORS, _failed(everyone, standouts.failing)),
        ("slow", SLOW, _beyond(everyone, "slow", "latency", whole.get("latency_p50"), standouts.slow)),
        ("dear", DEAR, _beyond(everyone, "dear", "total_cost", whole.get("cost_p50"), standouts.dear)),
    ):
        for offer in offers:
            if sum(one.kind == kind for one in picked.values()) == limit:
                break
            picked.setdefault(offer.candidate.run_id, offer)
    return list(picked.values())[:MOST]


def highlighted(picked: Sequence[Picked], clusters: Sequence[Cluster]) -> tuple[HighlightedTrace, ...]:
    names = {cluster.id: cluster.name for cluster in clusters}
    return tuple(
        HighlightedTrace(
            run_id=one.candidate.run_id,
            rank=rank,
            highlight_reason=one.reason,
            cluster_id=one.candidate.cluster_id if one.candidate.cluster_id in names else None,
            cluster_name=names.get(one.candidate.cluster_id or ""),
            summary=one.candidate.summary,
        )
        for rank, one in enumerate(picked, 1)
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A trace that may be highlighted, and why."""

    run_id: str
    reason: str
    cluster_id: str | None = None
    cluster_name: str | None = None
    summary: str | None = None


def offers(picked: Sequence[Picked], clusters: Sequence[Cluster], whole: Mapping[str, Any]) -> list[Offer]:
    """For somebody who chooses: what was picked, the unusual ones, and a typical one of each large category."""
    found = [
        Offer(one.run_id, one.highlight_reason, one.cluster_id, one.cluster_name, one.summary)
        for one in highlighted(picked, clusters)
    ]
    unusual = (whole.get("unusual") or {}).get("traces") or []
    found += [Offer(one["run_id"], "Unlike all others", summary=one["summary"]) for one in unusual]
    tops = sorted((one for one in clusters if one.parent_id is None), key=lambda one: (-one.num_runs, one.name, one.id))
    for top in tops[:TYPICAL]:
        if typical := top.stats.get("typical"):
            found.append(Offer(typical["run_id"], "Typical of its category", top.id, top.name, typical["summary"]))
    return list({one.run_id: one for one in reversed(found)}.values())[::-1]


def highlighted_as(chosen: Sequence[tuple[Offer, str]]) -> tuple[HighlightedTrace, ...]:
    """In this order, each with its reason."""
    return tuple(
        HighlightedTrace(
            run_id=one.run_id,
            rank=rank,
            highlight_reason=reason,
            cluster_id=one.cluster_id,
            cluster_name=one.cluster_name,
            summary=one.summary,
        )
        for rank, (one, reason) in enumerate(chosen, 1)
    )


def _top(by_id: Mapping[str, Cluster], cluster_id: str | None) -> str | None:
    cluster = by_id.get(cluster_id or "")
    while cluster is not None and cluster.parent_id in by_id:
        cluster = by_id[cluster.parent_id or ""]
    return cluster.id if cluster else None


def _failed(everyone: Sequence[tuple[Candidate, str | None]], failing: str | None) -> Iterator[Picked]:
    """Those of the failing category first, then one of each category in turn."""
    failed = [(one, top) for one, top in everyone if one.facts.error]
    for one, top in failed:
        if failing is not None and top == failing:
            yield Picked(one, "error", top, "Ended in an error, in the category where most do")
    turns: dict[str | None, int] = {}
    rest: list[tuple[int, str, Candidate, str | None]] = []
    for one, top in failed:
        if failing is None or top != failing:
            turns[top] = turns.get(top, 0) + 1
            rest.append((turns[top], one.run_id, one, top))
    for _, _, one, top in sorted(rest, key=lambda turn: turn[:2]):
        yield Picked(one, "error", top, "Ended in an error")


def _beyond(
    everyone: Sequence[tuple[Candidate, str | None]], kind: str, fact: str, median: float | None, first: str | None
) -> Iterator[Picked]:
    """Those far above the median of the sample: the furthest of category `first`, then the furthest of all."""
    if median is None:
        return
    values = [(getattr(one.facts, fact), one, top) for one, top in everyone]
    far = [(v, one, top) for v, one, top in values if v is not None and STANDS_OUT * median < v < float("inf")]
    far.sort(key=lambda entry: (-entry[0], entry[1].run_id))
    lead = next((entry for entry in far if first is not None and entry[2] == first), None)
    for value, one, top in ([lead] if lead else []) + [entry for entry in far if entry is not lead]:
        yield Picked(one, kind, top, _reason(kind, value, median))


def _reason(kind: str, value: float, median: float) -> str:
    if kind == "slow":
        return f"Took {seconds(value)}, where the median of all is {seconds(median)}"
    return f"Cost {money(value)}, where the median of all is {money(median)}"
