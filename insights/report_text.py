"""The report as text for a terminal or a file: 80 columns are enough, and no text of a trace can drive the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.text import Text

from insights.printable import is_unicode, printable
from shared.models import FEW, NONE_OF_THESE, Cluster, Item, Job, JobState, Project, Report
from shared.wording import money, percent, seconds

REASONS = 5
SUBCATEGORIES = 8
BAR = 10
COLUMNS = (5, 7, 6, 7, 9)  # share, items, errors, latency, cost
NARROW = 72  # columns: below it there is no room for a bar
LEAST = 10  # columns for a name: with fewer, the figures stand below it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ReportView:
    """What is printed. `items` are only needed where fewer than eight were summarised."""

    job: Job
    report: Report | None
    project: Project
    items: Sequence[Item] = ()


def print_report(report: ReportView, console: Console, *, verbose: bool = False) -> None:
    """`verbose` shows every subcategory, every recorded reason, and the attributes' values."""
    _Printer(report, console, verbose).print()


class _Printer:
    def __init__(self, view: ReportView, console: Console, verbose: bool) -> None:
        self._view = view
        self._console = console
        self._verbose = verbose
        self._unicode = is_unicode(console.encoding)
        self._report = view.report if view.job.state is JobState.SUCCESS else None  # before that it is a draft
        self._coverage = self._report.coverage if self._report else {}
        self._stats = self._report.stats if self._report else {}
        self._unit = view.job.config.unit

    def print(self) -> None:
        self._header()
        if self._report is not None:
            self._body(self._report)
        self._losses()
        if self._report is not None:
            self._list("How far to trust it", [(0, note) for note in self._report.notes])

    def _body(self, report: Report) -> None:
        if self._view.items and len(self._view.items) < FEW:
            self._items()
        else:
            self._categories(report)
        self._list("Key points", [(0, point) for point in report.key_points])
        self._highlights(report)

    # Parts

    def _header(self) -> None:
        job = self._view.job
        self._line(job.name or "Report", style="bold")
        if self._report and self._report.title:
            self._line(self._report.title)
        self._line(f"Project {self._view.project.name}, made {_time(job.created_at)} by the {job.config.engine} engine")
        self._line(self._sizes())
        self._line(self._window())
        if job.state is JobState.ERROR:
            self._line(f"This report failed: {job.error or 'the reason is not known'}", style="bold red")
        elif job.state is not JobState.SUCCESS:
            self._line(f"This report is not finished: its state is {job.state.value}.", style="bold")

    def _sizes(self) -> str:
        def known(name: str, missing: str) -> str:
            value = self._coverage.get(name, getattr(self._view.job, name, None))
            return missing if value is None else f"{value:,}"

        parts = [f"{known('requested', 'all')} requested"]
        parts += [f"{known(name, '?')} {name}" for name in ("matched", "sampled", "summarized")]
        return f"{self._unit.capitalize()}s: {', '.join(parts)}"

    def _window(self) -> str:
        start, end = self._view.job.window_start, self._view.job.window_end
        if start is None and end is None:
            return "Window: all times"
        parts = [f"from {_time(start)}"] if start is not None else []
        parts += [f"to {_time(end)}"] if end is not None else []
        return f"Window: {' '.join(parts)}"

    def _categories(self, report: Report) -> None:
        self._heading("Categories")
        self._row("", None, ("Share", f"{self._unit.capitalize()}s", "Errors", "p50", "Cost p50"), style="dim")
        children: dict[str | None, list[Cluster]] = {}
        for cluster in sorted(report.clusters, key=lambda one: (one.name == NONE_OF_THESE, -one.num_runs, one.id)):
            children.setdefault(cluster.parent_id, []).append(cluster)
        for top in children.get(None, ()):
            self._cluster(top, 0)
            self._subcategories(children.get(top.id, ()))
        count = self._stats.get("run_count")
        self._row("Whole sample", 1.0 if count else None, self._cells(self._stats, count, 1.0 if count else None))

    def _subcategories(self, children: Sequence[Cluster]) -> None:
        shown = children if self._verbose or len(children) <= SUBCATEGORIES + 1 else children[:SUBCATEGORIES]
        for cluster in shown:
            self._cluster(cluster, 2)
        if rest := children[len(shown) :]:
            count = sum(one.num_runs for one in rest)
            self._line(f"and {len(rest)} smaller subcategories with {count:,} {self._unit}s", indent=4, style="dim")

    def _cluster(self, cluster: Cluster, indent: int) -> None:
        whole = self._stats.get("run_count")
        share = cluster.num_runs / whole if whole else None
        cells = self._cells(cluster.stats, cluster.num_runs, share)
        self._row(cluster.name, share, cells, indent, style="" if indent else "bold")
        if cluster.description:
            self._line(cluster.description, indent=indent + 2, style="dim")
        if self._verbose:
            self._attributes(cluster.stats, indent + 2)

    def _attributes(self, stats: Mapping[str, Any], indent: int) -> None:
        for name, found in (stats.get("attributes") or {}).items():
            if found.get("values"):
                values = ", ".join(f"{value} {n:,}" for value, n in found["values"].items())
                self._line(f"{name}: {values} (of {found['n']:,})", indent=indent, style="dim")
            elif found.get("avg") is not None:
                self._line(f"{name}: mean {found['avg']:.4g} (of {found['n']:,})", indent=indent, style="dim")

    def _cells(self, stats: Mapping[str, Any], count: int | None, share: float | None) -> tuple[str, ...]:
        rate, latency, cost = stats.get("error_rate"), stats.get("latency_p50"), stats.get("cost_p50")
        unknown = self._unknown
        return (
            unknown if share is None else percent(share),
            unknown if count is None else f"{count:,}",
            unknown if rate is None else percent(rate),
            unknown if latency is None else seconds(latency),
            unknown if cost is None else money(cost),
        )

    def _items(self) -> None:
        self._heading(f"{self._unit.capitalize()}s (too few for categories)")
        for item in self._view.items:
            facts = item.facts
            self._line(item.summary or "no summary", first="- ")
            parts = [item.source_id or item.run_ids[-1]]
            parts += ["ended in an error"] if facts.error else []
            parts += [seconds(facts.latency)] if facts.latency is not None else []
            parts += [money(facts.total_cost)] if facts.total_cost is not None else []
            self._line(", ".join(parts), indent=2, style="dim")
            for name, value in item.attributes.items():
                self._line(f"{name}: {self._unknown if value is None else value}", indent=2, style="dim")

    def _highlights(self, report: Report) -> None:
        if not report.highlighted_traces:
            return
        self._heading(f"{self._unit.capitalize()}s to open first")
        for one in sorted(report.highlighted_traces, key=lambda one: one.rank):
            self._line(one.highlight_reason, first=f"#{one.rank} ")
            self._line(", in: ".join(part for part in (one.run_id, one.cluster_name) if part), indent=3, style="dim")
            if one.summary:
                self._line(one.summary, indent=3)

    def _losses(self) -> None:
        """What is not in the report, and why; nothing where nothing is missing."""
        found, source = self._coverage, self._view.project.source
        failed = [f"{one.get('run_id')}: {one.get('reason')}" for one in found.get("failed") or ()]
        bad = [f"line {one.get('line')}: {one.get('reason')}" for one in source.get("bad_lines") or ()]
        left_out = sorted((found.get("left_out") or {}).items())
        lines = [
            *self._reasons("Runs that had not ended", found.get("unfinished", self._view.job.unfinished)),
            *self._reasons("Failed", found.get("failed_count"), failed),
            *(line for reason, n in left_out for line in self._reasons(f"Left out ({reason})", n)),
            *self._reasons("Bad lines in the file", source.get("bad_line_count"), bad),
            *self._reasons("Repeated ids in the file, of which the last counts", source.get("duplicates")),
            *self._reasons("Runs whose root run is not in the file", source.get("orphans")),
        ]
        self._list("Not in this report", lines)

    # Lines

    def _reasons(self, what: str, count: int | None, reasons: Sequence[str] = ()) -> list[tuple[int, str]]:
        if not count:
            return []
        shown = reasons if self._verbose else reasons[:REASONS]
        more = [f"and {count - len(shown):,} more"] if shown and count > len(shown) else []
        return [(0, f"{what}: {count:,}"), *((2, line) for line in (*shown, *more))]

    def _list(self, heading: str, lines: Sequence[tuple[int, str]]) -> None:
        """Each line with its indent."""
        if lines:
            self._heading(heading)
        for indent, line in lines:
            self._line(line, first=" " * indent + "- ")

    def _heading(self, text: str) -> None:
        self._console.print()
        self._line(text, style="bold")

    def _line(self, text: str, *, indent: int = 0, first: str | None = None, style: str = "") -> None:
        """Wrapped at the console's width, all of it after `indent` columns, or under what comes after `first`."""
        start = " " * indent if first is None else first
        width = max(10, self._console.width - len(start))
        for line in self._text(text, style).wrap(self._console, width):
            line.rstrip()
            self._console.print(Text(start) + line, soft_wrap=True)
            start = " " * len(start)

    def _row(self, name: str, share: float | None, cells: Sequence[str], indent: int = 0, style: str = "bold") -> None:
        """One line of the table, of the same columns in every line; a long name goes on below itself."""
        figures = " ".join(cell.rjust(width) for cell, width in zip(cells, COLUMNS, strict=True))
        if self._console.width >= NARROW:
            figures = f"{self._bar(share).ljust(BAR)} {figures}"
        room = self._console.width - len(figures) - indent - 1
        if room < LEAST:
            self._line(name, indent=indent, style=style)
            self._line(figures.strip(), indent=indent + 2, style="dim")
            return
        for number, line in enumerate(self._text(name, style).wrap(self._console, room)):
            line.rstrip()
            if not number:
                line.pad_right(room - line.cell_len)
                line.append(f" {figures}", style if style == "dim" else "not bold")
            self._console.print(Text(" " * indent) + line, soft_wrap=True)

    def _text(self, text: str, style: str = "") -> Text:
        return Text(printable(text, self._console.encoding), style, overflow="fold")

    def _bar(self, share: float | None) -> str:
        return "" if not share else ("█" if self._unicode else "#") * max(1, round(share * BAR))

    @property
    def _unknown(self) -> str:
        return "–" if self._unicode else "-"


def _time(microseconds: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M} UTC"
