"""The figures of a report as lines for a model, as they are printed for a reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.listing import datum
from shared.models import NONE_OF_THESE, Cluster
from shared.wording import counted, money, percent, seconds

SUBCATEGORIES = 40  # that are shown at most, the largest
DIFFERENCES = 4  # of a category
ABOUT, NAME = 200, 120  # characters of a description and of a name


@dataclass(frozen=True, slots=True)
class Line:
    """Of one category: its `name`, and `figures` without it."""

    name: str
    about: str
    figures: str

    @property
    def text(self) -> str:
        return f"{datum(self.name, NAME)}: {self.figures} ({datum(self.about, ABOUT)})"


def figure_lines(clusters: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> list[Line]:
    """Categories with what lies in them, then the largest subcategories of those that have several."""
    shown = [one for one in clusters if one.num_runs and one.name != NONE_OF_THESE]
    tops = sorted((one for one in shown if one.parent_id is None), key=_order)
    parents = [one.parent_id for one in shown]
    inner = [one for one in shown if one.parent_id is not None and parents.count(one.parent_id) > 1]
    lines = [Line(one.name, one.description, _figures(one, whole, unit)) for one in tops]
    for one in sorted(inner, key=_order)[:SUBCATEGORIES]:
        inside = f"part of {datum(one.parent_name or '', NAME)}: "
        lines.append(Line(one.name, inside + one.description, _figures(one, whole, unit)))
    return lines


def _order(cluster: Cluster) -> tuple[int, str, str]:
    return -cluster.num_runs, cluster.name, cluster.id


def whole_line(clusters: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> str:
    """Of all items."""
    tops = sum(one.parent_id is None and one.name != NONE_OF_THESE and one.num_runs > 0 for one in clusters)
    told = [f"{counted(whole['run_count'], unit)} in {counted(tops, 'category')}", *_rates(whole)]
    if none := sum(one.num_runs for one in clusters if one.parent_id is None and one.name == NONE_OF_THESE):
        told.append(f"{none:,} ({percent(none / whole['run_count'])}) fit none of the categories")
    return ", ".join(told)


def _figures(cluster: Cluster, whole: Mapping[str, Any], unit: str) -> str:
    n = whole["run_count"]
    told = [f"{cluster.num_runs:,} of {counted(n, unit)} ({percent(cluster.num_runs / n)})", *_rates(cluster.stats)]
    told += [one["text"] for one in (cluster.stats.get("differences") or [])[:DIFFERENCES]]
    return datum(", ".join(told), 1_000)


def _rates(stats: Mapping[str, Any]) -> list[str]:
    told = []
    if n := stats.get("error_n"):
        rate = stats.get("error_rate") or 0.0
        told.append(f"{round(rate * n):,} of {n:,} ended in an error ({percent(rate)})")
    if (latency := stats.get("latency_p50")) is not None:
        told.append(f"median time {seconds(latency)}")
    if (cost := stats.get("cost_p50")) is not None:
        told.append(f"median cost {money(cost)}")
    return told
