"""Figures and sentences as people read them."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_ENDS = ((". ", "? ", "! "), (", ", "; ", ": ", " ("), (" ",))  # where a text is best cut: a sentence, a clause, a word


def clean(text: str) -> str:
    """Without lone surrogates, which no event, no answer over HTTP and no field of a store takes."""
    return _SURROGATE.sub("\ufffd", text)


def counted(n: int, noun: str) -> str:
    """`1 trace`, `1,234 traces`, `2 categories`."""
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {noun[:-1]}ies" if noun.endswith("y") else f"{n:,} {noun}s"


def shortened(text: str, longest: int) -> str:
    """At most `longest` characters, with `…` where it is cut: after a sentence or a clause if half is left."""
    if len(text) <= longest:
        return text
    begin = text[: longest - 1]
    for marks in _ENDS:
        at = max(begin.rfind(mark) for mark in marks)
        if at >= longest // 2:
            kept = _without_opened(begin[: at + 1].rstrip(" ,;:("), longest // 2)
            return f"{kept} …" if kept.endswith((".", "?", "!")) else f"{kept}…"
    return f"{begin.rstrip()}…"


def _without_opened(text: str, least: int) -> str:
    """Without a bracket at its end that is never closed, if that leaves enough."""
    at = text.rfind("(")
    return text[:at].rstrip() if at >= least and ")" not in text[at:] else text


def percent(share: float) -> str:
    """`42 %` for 0.42; a small part is never shown as nothing, nor nearly all as all."""
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{share * 100:.0f} %"


def seconds(value: float) -> str:
    """`40 ms`, `4.1 s`, `140 s`, `12 min`, `3.5 h`."""
    if 0 < value < 0.001:
        return "<1 ms"
    for limit, text in ((0.9995, f"{value * 1_000:.0f} ms"), (99.95, f"{value:.1f} s"), (600, f"{value:.0f} s")):
        if value < limit:
            return text
    return f"{value / 60:.0f} min" if value < 7_200 else f"{value / 3_600:,.1f} h"


def money(value: float) -> str:
    """Dollars: `$1,234`, `$1.20`, `$0.012`, `$0.00034`; two digits that count below ten cents."""
    if 0 < value < 0.000001:
        return "<$0.000001"
    if value >= 1_000:
        return f"${value:,.0f}"
    if value >= 0.0995 or value == 0:
        return f"${value:.2f}"
    return f"${float(f'{value:.2g}'):.8f}".rstrip("0")


def number(value: float) -> str:
    """`3`, `2.5`, `0.041`, `1,234`: whole, or two digits that count."""
    if value % 1 == 0 or abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.2g}"
