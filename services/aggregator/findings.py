"""What a report says in sentences, made of figures only: the title, up to five key points, the traces to open first.

A category is said to fail more than the rest only where a one-sided Fisher test, corrected for the number of
categories looked at, says so; to be slow or dear only where its median is 1.5 times that of the whole sample; to stand
apart where `contrasts` says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.aggregator.highlights import STANDS_OUT, Candidate, Picked, Standouts, highlighted, pick
from shared.models import FEW, NONE_OF_THESE, Cluster, HighlightedTrace
from shared.wording import counted, money, percent, seconds

ENOUGH = 5  # known values that a category needs before it is compared
SURE = 0.05
MOST_POINTS = 5
TOLD_DIFFERENCES = 3
MUCH = 0.1  # the share of "None of these" from which the reader is told


@dataclass(frozen=True, slots=True)
class Findings:
    title: str
    key_points: tuple[str, ...]
    highlighted_traces: tuple[HighlightedTrace, ...]
    picked: tuple[Picked, ...] = ()


def findings(
    clusters: Sequence[Cluster], whole: Mapping[str, Any], candidates: Iterable[Candidate], *, unit: str = "trace"
) -> Findings:
    """Same input, same sentences: ties are decided by id. `clusters` carry their figures in `stats`."""
    tops = sorted((one for one in clusters if one.parent_id is None), key=lambda one: (-one.num_runs, one.name, one.id))
    named = [one for one in tops if one.name != NONE_OF_THESE and one.num_runs]
    if whole["run_count"] < FEW:
        named = []  # they are shown as a list
    failing = _failing(named, whole)
    slow, dear = _furthest(named, whole, "latency"), _furthest(named, whole, "cost")
    picked = pick(clusters, whole, candidates, Standouts(_id(failing), _id(slow), _id(dear)))
    points = (
        _largest_point(named, whole, unit),
        _error_point(failing, named, whole, unit) + _references(picked, "error", failing),
        slow and _slow_point(slow, whole, unit) + _references(picked, "slow", slow),
        dear and _dear_point(dear, whole, unit) + _references(picked, "dear", dear),
        _unnamed_point(tops, whole, unit),
    )
    told = [point for point in points if point]
    if len(told) < MOST_POINTS and (apart := _apart_point(named)):
        told.append(apart)
    sentences = tuple(f"{one}." for one in told)
    return Findings(_title(named, whole, unit), sentences, highlighted(picked, clusters), tuple(picked))


def _id(cluster: Cluster | None) -> str | None:
    return cluster.id if cluster else None


def _title(named: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> str:
    size = counted(whole["run_count"], unit)
    if not named:
        return size
    if len(named) == 1:
        return f"{size} in 1 category: {named[0].name}"
    return f"{size} in {len(named)} categories, most in: {named[0].name}"


def _largest_point(named: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> str:
    n = whole["run_count"]
    if not named or not n:
        return ""
    first = named[0]
    if first.num_runs == n:
        return f"The only category: {first.name}, {counted(n, unit)}"
    tied = len(named) > 1 and named[1].num_runs == first.num_runs
    place = "One of the largest categories" if tied else "Largest category"
    return f"{place}: {first.name}, {first.num_runs:,} of {counted(n, unit)} ({percent(first.num_runs / n)})"


def _errors(stats: Mapping[str, Any]) -> tuple[int, int]:
    """How many ended in an error, and of how many that is known."""
    n = stats.get("error_n") or 0
    return round((stats.get("error_rate") or 0) * n), n


def _failing(named: Sequence[Cluster], whole: Mapping[str, Any]) -> Cluster | None:
    """The category with the highest error rate of those that fail more than the rest beyond chance."""
    compared = []
    for cluster in named:
        errors, n = _errors(cluster.stats)
        rest_errors, rest_n = _rest(cluster, whole)
        if n >= ENOUGH and rest_n >= ENOUGH:
            compared.append((cluster, errors, n, rest_errors, rest_n))
    sure = [
        (-errors / n, cluster.id, cluster)
        for cluster, errors, n, rest_errors, rest_n in compared
        if errors / n > rest_errors / rest_n and _chance(errors, n, rest_errors, rest_n) * len(compared) < SURE
    ]
    return min(sure, key=lambda one: one[:2])[2] if sure else None


def _rest(cluster: Cluster, whole: Mapping[str, Any]) -> tuple[int, int]:
    errors, n = _errors(cluster.stats)
    all_errors, all_n = _errors(whole)
    return all_errors - errors, all_n - n


def _chance(errors: int, n: int, rest_errors: int, rest_n: int) -> float:
    """How likely so many errors or more would fall into this category if all failed alike."""
    from scipy.stats import fisher_exact  # it takes a second to import: not at the start of every process

    table = [[errors, n - errors], [rest_errors, rest_n - rest_errors]]
    return float(fisher_exact(table, alternative="greater").pvalue)


def _error_point(failing: Cluster | None, named: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> str:
    errors, n = _errors(whole)
    if failing is not None:
        some, of = _errors(failing.stats)
        rest_errors, rest_n = _rest(failing, whole)
        return (
            f"Fails most: {failing.name}, {some:,} of {counted(of, unit)} ended in an error ({percent(some / of)}), "
            f"against {rest_errors:,} of {rest_n:,} in the rest ({percent(rest_errors / rest_n)})"
        )
    if not n:
        return f"Whether a {unit} ended in an error is not known"
    if not errors:
        return f"None of {counted(n, unit)} ended in an error"
    more = "; no category clearly fails more than the rest" if len(named) > 1 else ""
    return f"{errors:,} of {counted(n, unit)} ended in an error ({percent(errors / n)}){more}"


def _furthest(named: Sequence[Cluster], whole: Mapping[str, Any], figure: str) -> Cluster | None:
    """The category with the highest median of `latency` or `cost`, if that stands out from the whole sample's."""
    middle = whole.get(f"{figure}_p50")
    known = [one for one in named if (one.stats.get(f"{figure}_n") or 0) >= ENOUGH]
    if middle is None or not known:
        return None
    first = min(known, key=lambda one: (-one.stats[f"{figure}_p50"], one.name, one.id))
    median = first.stats[f"{figure}_p50"]
    return first if median > 0 and median >= STANDS_OUT * middle else None


def _slow_point(slow: Cluster, whole: Mapping[str, Any], unit: str) -> str:
    median, everyone = seconds(slow.stats["latency_p50"]), seconds(whole["latency_p50"])
    return f"Slowest: {slow.name}, half of its {unit}s take {median} or more ({everyone} over all {unit}s)"


def _dear_point(dear: Cluster, whole: Mapping[str, Any], unit: str) -> str:
    median, everyone = money(dear.stats["cost_p50"]), money(whole["cost_p50"])
    point = f"Dearest: {dear.name}, half of its {unit}s cost {median} or more ({everyone} over all {unit}s)"
    spent, total = dear.stats.get("total_cost"), whole.get("total_cost")
    if spent and total:
        point += f", together {percent(min(1.0, spent / total))} of all that was spent"
    return point


def _unnamed_point(tops: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> str:
    n = sum(one.num_runs for one in tops if one.name == NONE_OF_THESE)
    size = whole["run_count"]
    if not size or n / size < MUCH:
        return ""
    return f"{n:,} of {counted(size, unit)} ({percent(n / size)}) fit none of the categories"


def _apart_point(named: Sequence[Cluster]) -> str:
    """The category that differs most from the rest, in any of its facts and attributes."""
    differing = [(one.stats.get("differences") or [], one) for one in named]
    if not any(found for found, _ in differing):
        return ""
    found, cluster = min(
        differing, key=lambda pair: (-abs(pair[0][0]["effect"]) if pair[0] else 0, pair[1].name, pair[1].id)
    )
    return f"Most unlike the rest is {cluster.name}: {', '.join(one['text'] for one in found[:TOLD_DIFFERENCES])}"


def _references(picked: Sequence[Picked], kind: str, cluster: Cluster | None) -> str:
    """Which highlighted traces show it, as ` (#1, #2)`."""
    ranks = [
        f"#{rank}"
        for rank, one in enumerate(picked, 1)
        if one.kind == kind and (cluster is None or one.top_id == cluster.id)
    ]
    return f" ({', '.join(ranks)})" if ranks else ""
