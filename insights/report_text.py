"""The report as text for a terminal or a file: 80 columns are enough, and no text of a trace can drive the terminal."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from insights.page import Page
from insights.spending_text import HEADERS, cut_note, price_note, spending_rows
from shared.bill import NO_BILL, Bill
from shared.ending import is_filtered
from shared.figure_wording import short_figure, whole_figure
from shared.models import FEW, NONE_OF_THESE, Cluster, Item, Job, JobState, Project, Report
from shared.wording import counted, money, percent, seconds, shortened

REASONS = 5
SUBCATEGORIES = 8
DIFFERENCES = 4
SHORT = 200  # characters of a summary where several stand in a list
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Direction = tuple[str, str, str | None, bool]


@dataclass(frozen=True)
class ReportView:
    """What is printed. `items` are only needed where fewer than eight were summarised. `made_before`: not now."""

    job: Job
    report: Report | None
    project: Project
    items: Sequence[Item] = ()
    bill: Bill = NO_BILL
    made_before: bool = False


def print_report(report: ReportView, console: Console, *, verbose: bool = False) -> None:
    """`verbose` shows every subcategory, every recorded reason, and all figures of attributes and facts."""
    _Printer(report, Page(console), verbose).print()


class _Printer:
    def __init__(self, view: ReportView, page: Page, verbose: bool) -> None:
        self._view = view
        self._page = page
        self._verbose = verbose
        self._report = view.report if view.job.state is JobState.SUCCESS else None  # before that it is a draft
        self._coverage = self._report.coverage if self._report else {}
        self._stats = self._report.stats if self._report else {}
        self._unit = view.job.config.unit

    def print(self) -> None:
        if self._view.job.state is JobState.ERROR:  # why is the command's sentence; what was paid is paid
            self._spending()
            return
        self._header()
        if self._report is not None:
            self._body(self._report)
        self._losses()
        self._spending()
        if self._report is not None:
            self._page.list("How far to trust it", [(0, note) for note in self._report.notes])

    def _body(self, report: Report) -> None:
        if self._view.items and len(self._view.items) < FEW:
            self._items()
        else:
            self._categories(report)
        self._attributes()
        self._page.list("Key points", [(0, point) for point in report.key_points])
        self._highlights(report)
        self._unusual(report)

    # Parts

    def _header(self) -> None:
        job, page = self._view.job, self._page
        page.line(job.name or "Report", style="bold")
        if self._report and self._report.title:
            page.line(self._report.title)
        engine = "with a model" if job.config.engine == "model" else "without a model"
        page.line(f"Project {self._view.project.name}, made {_time(job.created_at)} {engine}")
        if self._view.made_before:
            page.line(f"Made before of the same traces and options: nothing was {self._again()} this time.")
        page.line(self._sizes())
        if job.window_start is not None or job.window_end is not None:
            page.line(self._window())
        if job.state is not JobState.SUCCESS:
            page.line(f"This report is not finished: its state is {job.state.value}.", style="bold")

    def _again(self) -> str:
        return "asked or paid" if self._view.job.config.engine == "model" else "computed"

    def _sizes(self) -> str:
        """How many were asked for, found, looked at, and read; and how many left after that."""

        def known(name: str) -> str:
            value = self._coverage.get(name, getattr(self._view.job, name, None))
            return "?" if value is None else f"{value:,}"

        asked = self._coverage.get("requested", self._view.job.requested)
        parts = [f"{asked:,} asked for"] if asked is not None else []
        parts += [f"{known('matched')} found", f"{known('sampled')} in the sample", f"{known('summarized')} summarised"]
        left_out = sorted((self._coverage.get("left_out") or {}).items())
        parts += [f"{n:,} {reason}" for reason, n in left_out if is_filtered(reason)]
        return f"{self._unit.capitalize()}s: {', '.join(parts)}"

    def _window(self) -> str:
        start, end = self._view.job.window_start, self._view.job.window_end
        parts = [f"from {_time(start)}"] if start is not None else []
        parts += [f"to {_time(end)}"] if end is not None else []
        return f"Began: {' '.join(parts)}"

    def _categories(self, report: Report) -> None:
        self._page.heading("Categories")
        self._page.row("", None, ("Share", f"{self._unit.capitalize()}s", "Errors", "Time", "Cost"), style="dim")
        children: dict[str | None, list[Cluster]] = {}
        for cluster in sorted(
            report.clusters, key=lambda one: (one.name == NONE_OF_THESE, -one.num_runs, one.name, one.id)
        ):
            children.setdefault(cluster.parent_id, []).append(cluster)
        for top in children.get(None, ()):
            self._cluster(top, 0)
            self._subcategories(top, children.get(top.id, ()))
        count = self._stats.get("run_count")
        self._page.row("Whole sample", 1.0 if count else None, self._cells(self._stats, count, 1.0 if count else None))
        if self._verbose:
            self._facts(self._stats, 2)
        self._page.line(self._legend(report), style="dim")

    def _legend(self, report: Report) -> str:
        """What the columns and the words of the table mean."""
        told = f"Time and cost: the median {self._unit}'s."
        if any(self._stats.get(name) is None for name in ("error_rate", "latency_p50", "cost_p50")):
            told += f" {self._page.unknown}: not known."
        if any(one["name"] == "effort" for cluster in report.clusters for one in _differences(cluster)):
            told += f" Effort: how much work it was, by length, repetition and errors; 50 is the usual {self._unit}."
        return told

    def _attributes(self) -> None:
        """Each that was asked for, over the whole sample; in which category it differs stands there."""
        found = self._stats.get("attributes") or {}
        self._page.list("Attributes", [(0, whole_figure("attributes", name, one)) for name, one in found.items()])

    def _subcategories(self, top: Cluster, children: Sequence[Cluster]) -> None:
        if len(children) == 1:
            return  # it holds what its category holds
        shown = children if self._verbose or len(children) <= SUBCATEGORIES + 1 else children[:SUBCATEGORIES]
        said = {_direction(one) for one in _differences(top)}
        for cluster in shown:
            self._cluster(cluster, 2, said)
        if rest := children[len(shown) :]:
            count = sum(one.num_runs for one in rest)
            self._page.line(
                f"and {len(rest)} smaller subcategories with {counted(count, self._unit)}", indent=4, style="dim"
            )

    def _cluster(self, cluster: Cluster, indent: int, said: Collection[Direction] = ()) -> None:
        """`said`: the differences that its category has, too."""
        whole = self._stats.get("run_count")
        share = cluster.num_runs / whole if whole else None
        cells = self._cells(cluster.stats, cluster.num_runs, share)
        self._page.row(cluster.name, share, cells, indent, style="" if indent else "bold")
        if cluster.description:
            self._page.line(cluster.description, indent=indent + 2, style="dim")
        new = [one for one in _differences(cluster) if _direction(one) not in said]
        differing = [
            one["text"]
            for place, one in enumerate(new)
            if self._verbose or place < DIFFERENCES or one["of"] == "attributes"  # these were asked for
        ]
        if differing:
            self._page.line(f"Differs from the rest: {', '.join(differing)}", indent=indent + 2)
        typical = cluster.stats.get("typical")
        if typical and (self._verbose or not indent):
            self._page.line(f"Typical: {_id(typical)}", indent=indent + 2, style="dim")
        if self._verbose:
            self._figures(cluster.stats, indent + 2)

    def _figures(self, stats: Mapping[str, Any], indent: int) -> None:
        for name, found in (stats.get("attributes") or {}).items():
            self._page.line(whole_figure("attributes", name, found), indent=indent, style="dim")
        self._facts(stats, indent)

    def _facts(self, stats: Mapping[str, Any], indent: int) -> None:
        """All that are known, in a line."""
        known = [(name, found) for name, found in (stats.get("facts") or {}).items() if found["n"]]
        if facts := ", ".join(short_figure("facts", name, found) for name, found in known):
            self._page.line(f"Facts: {facts}", indent=indent, style="dim")

    def _cells(self, stats: Mapping[str, Any], count: int | None, share: float | None) -> tuple[str, ...]:
        rate, latency, cost = stats.get("error_rate"), stats.get("latency_p50"), stats.get("cost_p50")
        unknown = self._page.unknown
        return (
            unknown if share is None else percent(share),
            unknown if count is None else f"{count:,}",
            unknown if rate is None else percent(rate),
            unknown if latency is None else seconds(latency),
            unknown if cost is None else money(cost),
        )

    def _items(self) -> None:
        page = self._page
        page.heading(f"{self._unit.capitalize()}s (too few for categories)")
        for item in self._view.items:
            facts = item.facts
            page.line(item.summary or "no summary", first="- ")
            parts = [item.source_id or item.run_ids[-1]]
            parts += ["ended in an error"] if facts.error else []
            parts += [seconds(facts.latency)] if facts.latency is not None else []
            parts += [money(facts.total_cost)] if facts.total_cost is not None else []
            page.line(", ".join(parts), indent=2, style="dim")
            for name, value in item.attributes.items():
                page.line(f"{name}: {page.unknown if value is None else value}", indent=2, style="dim")

    def _highlights(self, report: Report) -> None:
        if not report.highlighted_traces:
            return
        page = self._page
        page.heading(f"{self._unit.capitalize()}s to open first")
        for one in sorted(report.highlighted_traces, key=lambda one: one.rank):
            page.line(one.highlight_reason, first=f"#{one.rank} ")
            page.line(", in: ".join(part for part in (one.run_id, one.cluster_name) if part), indent=3, style="dim")
            if one.summary:
                page.line(one.summary, indent=3)

    def _unusual(self, report: Report) -> None:
        found = self._stats.get("unusual") or {}
        opened = {one.run_id for one in report.highlighted_traces}
        shown = [one for one in found.get("traces", ()) if one["run_id"] not in opened]
        if not shown:
            return
        self._page.heading(f"{self._unit.capitalize()}s unlike the others")
        for one in shown:
            summary = one["summary"] or "no summary"
            self._page.line(summary if self._verbose else shortened(summary, SHORT), first="- ")
            self._page.line(_id(one), indent=2, style="dim")
        if (more := found["n"] - len(found["traces"])) > 0:
            self._page.line(f"and {more:,} more", first="- ", style="dim")

    def _losses(self) -> None:
        """What is not in the report, and why; nothing where nothing is missing."""
        found, source = self._coverage, self._view.project.source
        failed = [f"{one.get('run_id')}: {one.get('reason')}" for one in found.get("failed") or ()]
        bad = [f"line {one.get('line')}: {one.get('reason')}" for one in source.get("bad_lines") or ()]
        left_out = sorted((found.get("left_out") or {}).items())
        lines = [
            *self._reasons("Runs that had not ended", found.get("unfinished", self._view.job.unfinished)),
            *self._reasons("Failed", found.get("failed_count"), failed),
            *(line for reason, n in left_out for line in self._left_out(reason, n)),
            *self._reasons("Bad lines in the file", source.get("bad_line_count"), bad),
            *self._reasons("Repeated ids in the file, of which the last counts", source.get("duplicates")),
            *self._reasons("Runs whose root run is not in the file", source.get("orphans")),
        ]
        self._page.list("Not in this report", lines)

    def _spending(self) -> None:
        """Also of a job that failed: what was paid is paid."""
        bill = self._view.bill
        if not bill.lines:
            return
        self._page.heading(f"What the models took{' when it was made' if self._view.made_before else ''}")
        self._page.table(HEADERS, spending_rows(bill), texts=2)
        if bill.total.kept:
            self._page.line("Kept: answers that were there already, and cost nothing.", style="dim")
        if any(line.estimated for line in bill.lines):
            self._page.line("~: estimated, since the endpoint does not tell its tokens", style="dim")
        for note in filter(None, (cut_note(bill), price_note(bill))):
            self._page.line(note, style="dim")

    def _left_out(self, reason: str, count: int) -> list[tuple[int, str]]:
        if is_filtered(reason):
            return self._reasons(f"{reason.capitalize()}, which is not true of them", count)
        return [*self._reasons("Left out", count), (2, reason)]

    def _reasons(self, what: str, count: int | None, reasons: Sequence[str] = ()) -> list[tuple[int, str]]:
        if not count:
            return []
        shown = reasons if self._verbose else reasons[:REASONS]
        more = [f"and {count - len(shown):,} more"] if shown and count > len(shown) else []
        return [(0, f"{what}: {count:,}"), *((2, line) for line in (*shown, *more))]


def _differences(cluster: Cluster) -> list[dict[str, Any]]:
    return cluster.stats.get("differences") or []


def _direction(difference: Mapping[str, Any]) -> Direction:
    """Which figure, and whether it is above that of the rest."""
    return difference["of"], difference["name"], difference["value"], difference["effect"] > 0


def _id(trace: Mapping[str, Any]) -> str:
    """What a reader finds the trace by."""
    return str(trace.get("source_id") or trace["run_id"])


def _time(microseconds: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M} UTC"
