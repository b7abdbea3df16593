"""The figures of attributes and facts as people read them: `tool errors 34 % (rest 12 %)`."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.wording import number, percent

SOME = {"tool_errors": "a tool failed", "repeated_calls": "a call was repeated", "tool_calls": "tools used"}
LABELS = {
    "last_result_error": "last tool call failed",
    "handed_over": "handed over",
    "refusal": "refusals",
    "ends_in_question": "ends in a question",
}


def label(of: str, name: str) -> str:
    """A fact in words; an attribute has the name that the user gave it."""
    return LABELS.get(name, name.replace("_", " ")) if of == "facts" else name


def difference(of: str, name: str, value: str | None, kind: str, here: float, rest: float | None) -> str:
    """`topic: billing 61 % (rest 12 %)`, `user turns 4 (rest 2)`, `effort 71 of 100 (rest 48)`.

    `kind` of `here` and `rest`: "share", "median" or "mean"; there may be no rest.
    """
    what = label(of, name) + (f": {value}" if value is not None else "")
    written: Callable[[float], str] = number
    suffix = ""
    if kind == "share":
        written = percent
        what = SOME.get(name, what) if of == "facts" else what  # the share of those above 0
    elif (of, name) == ("facts", "effort"):
        written, suffix = _effort, " of 100"
    elif kind == "mean":
        suffix = " on average"
    beside = "" if rest is None else f" (rest {written(rest)})"
    return f"{what} {written(here)}{suffix}{beside}"


def whole_figure(of: str, name: str, figure: Mapping[str, Any]) -> str:
    """All of one figure in a line: its value, of how many items, how many are unknown, and that of the rest."""
    rest = figure.get("rest")
    if not figure["n"]:
        return f"{label(of, name)}: unknown in all {figure['unknown']:,}"
    unknown = f", {figure['unknown']:,} unknown" if figure["unknown"] else ""
    beside = f"; rest {_value(rest, figure['type'])}" if rest and rest["n"] else ""
    return f"{label(of, name)}: {_value(figure, figure['type'])} of {figure['n']:,}{unknown}{beside}"


def short_figure(of: str, name: str, figure: Mapping[str, Any]) -> str:
    """As a difference is told; of a number that is mostly 0, the share of those above 0."""
    rest = found if (found := figure.get("rest")) and found["n"] else None
    kind, key = ("share", "share") if figure["type"] == "boolean" else ("median", "p50")
    if not figure[key] and figure["type"] == "number":
        kind, key = "share", "positive"
    return difference(of, name, None, kind, figure[key], rest[key] if rest else None)


def _value(figure: Mapping[str, Any], kind: str) -> str:
    if kind == "boolean":
        return f"true in {percent(figure['share'])}"
    if kind == "string":
        if figure["values"] is None:
            return "free text"
        return ", ".join(f"{value} {n:,}" for value, n in _ranked(figure["values"]) if n) or "other values"
    low, middle, high = (number(figure[key]) for key in ("p25", "p50", "p75"))
    return f"median {middle}" + ("" if low == middle == high else f" (half in {low} to {high})")


def _ranked(values: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))


def _effort(value: float) -> str:
    return f"{100 * value:.0f}"
