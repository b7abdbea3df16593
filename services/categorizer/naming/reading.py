"""What is read of the items: of each leaf the most typical and a spread of the rest, so that time is bounded."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CHARACTERS = 2_000  # of a request
SENTENCES = 10  # of a request
_SENTENCE_ENDS = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+|\n+")
_FENCE = "```"
_FORMULA = re.compile(r"\$[^$\n]{1,200}\$")
_CODE = re.compile(r"(?:import|from|#?include|using|def|class|public|private|const|let|var|return)\b(?!.*[.?!:]$)")
_WORD = re.compile(r"[^\W\d_]{2,}")
_ODD = re.compile(r"[^\w\s.,;:!?'\"()\u2019-]|_")


def prose(text: str) -> str:
    """Without fenced code and without lines that are mostly symbols; the text itself where nothing else is in it."""
    text = text[:CHARACTERS]
    outside = text.split(_FENCE)[::2]
    lines = (_FORMULA.sub("", line).strip() for part in outside for line in part.split("\n"))
    return "\n".join(line for line in lines if _is_prose(line)) or text


def _is_prose(line: str) -> bool:
    words = _WORD.findall(line)
    if not words or _CODE.match(line):
        return False
    odd = len(_ODD.findall(line))
    return odd < 0.12 * len(line) and (len(words) > 2 or line[-1] in ".?!:")


def sentences(text: str) -> list[str]:
    """The first SENTENCES of the prose of a request."""
    found = (part.strip() for part in _SENTENCE_ENDS.split(prose(text)))
    return [part for part in found if len(part) > 2][:SENTENCES]


def typical(texts: Sequence[str], vectors: Array, leaf: Array, centres: Array, limit: int) -> Iterator[list[int]]:
    """Of each leaf at most `limit` items, the most central first: one half the most central, one half spread evenly.

    Which of two equally central items comes first depends on their texts, not on their order of arrival.
    """
    order = np.argsort(leaf, kind="stable")
    starts = np.searchsorted(leaf[order], np.arange(len(centres)))
    for place, rows in enumerate(np.split(order, starts[1:])):
        closeness = np.round(vectors[rows] @ centres[place], 4)
        if len(rows) > 20 * limit:  # so many: only the most central and an even spread of them are sorted by text
            ranked = rows[np.argsort(-closeness, kind="stable")]
            closeness = np.sort(closeness)[::-1]
            kept = _spread(len(rows), 4 * limit)
            rows, closeness = ranked[kept], closeness[kept]
        ordered = sorted(
            zip(rows.tolist(), (-closeness).tolist(), strict=True), key=lambda pair: (pair[1], texts[pair[0]])
        )
        yield [ordered[rank][0] for rank in _spread(len(ordered), limit)]


def _spread(count: int, limit: int) -> list[int]:
    """At most `limit` of `count` ranks: the first half of them all at the front, the others at even distances."""
    if count <= limit:
        return list(range(count))
    front = limit // 2
    behind = np.linspace(front, count - 1, limit - front).round().astype(int)
    return [*range(front), *behind.tolist()]
