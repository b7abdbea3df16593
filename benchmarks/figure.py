"""One measured figure, and what it is held against."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """`ours` holds where it is at least the bar, or at most where `at_most`; without a bar it is shown only.

    `peer` is the same figure of another tool in the same run, in the same unit.
    """

    what: str
    ours: float
    bar: float | None = None
    peer: float | None = None
    at_most: bool = False
    unit: str = ""

    @property
    def holds(self) -> bool:
        if self.bar is None:
            return True
        return self.ours <= self.bar if self.at_most else self.ours >= self.bar


def show(found: Iterable[tuple[str, Figure]]) -> int:
    """One table of (bench, figure); 1 if a figure misses its bar, else 0."""
    table = Table("bench", "figure", "ours", "bar", "peer", "", box=None, pad_edge=False)
    table.columns[1].overflow = "fold"
    missed = 0
    previous = ""
    for bench, one in found:
        bar = "" if one.bar is None else f"{'≤' if one.at_most else '≥'} {_number(one.bar)}"
        peer = "" if one.peer is None else _number(one.peer)
        ours = f"{_number(one.ours)} {one.unit}".strip()
        table.add_row(bench if bench != previous else "", one.what, ours, bar, peer, "" if one.holds else "missed")
        previous = bench
        missed += not one.holds
    Console(width=130).print(table)
    return int(missed > 0)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
