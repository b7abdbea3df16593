"""Items as unit vectors: what was asked, what came of it, which tools were used, which words were said.

Four blocks of unit rows lie side by side with square-root weights, so that a cosine is the weighted mean of the
blocks' cosines; a block that knows nothing of an item is a row of zeros there. The first block sees the beginning of
a request only, so gist and words count as far as the conversations go beyond it.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from services.categorizer.clustering.latent import latent
from services.categorizer.clustering.sphere import unit
from services.categorizer.texts import TextSpace
from shared.features import Array, Features

REQUEST, GIST, TOOLS, WORDS = 1.0, 0.25, 0.25, 0.5  # weights
SEEN = 500  # characters of a request that its vector knows
TOOL_DIMENSIONS, WORD_DIMENSIONS = 64, 20
_TOOL_ITEMS, _TOOL_SHARE = 3, 0.9  # a tool tells something if so many items, and not nearly all, use it
_WORD_ITEMS, _WORD_SHARE = 2, 0.5
_VOCABULARY = 30_000


def vectors(items: Sequence[Features], words: Array | None = None) -> Array:
    """Unit rows (n, d) of n items, at least one. Items of which nothing is known are alike.

    Where `words` (n, w) are given, vectors of the requests' words, they stand for the first two blocks; they are made
    here where an item has no encoder's vectors.
    """
    beyond = unseen(items)
    weighted = [
        *_said(items, words, beyond),
        (TOOLS, tool_block([item.tools for item in items])),
        (WORDS * beyond, word_block([item.words for item in items])),
    ]
    whole = np.hstack([math.sqrt(weight) * block for weight, block in weighted])
    unknown = np.asarray(np.abs(whole).max(axis=1, initial=0) == 0)
    if unknown.any():
        whole = np.hstack([whole, unknown[:, None].astype(np.float32)])
    return unit(whole)


def unseen(items: Sequence[Features]) -> float:
    """The mean share of a conversation that its request vector has not seen: 0..1."""
    shares = [1 - min(len(item.request), SEEN) / item.length for item in items if item.length]
    return max(0.0, math.fsum(shares) / len(items))


def _said(items: Sequence[Features], words: Array | None, beyond: float) -> list[tuple[float, Array]]:
    """The first two blocks with their weights: of the encoder, or of the requests' words where it is missing."""
    if words is None and not all(item.encoder for item in items):
        words = TextSpace([item.request for item in items]).vectors
    if words is not None:
        return [(REQUEST + GIST * beyond, words)]
    requests = stacked([item.request_vector for item in items])
    return [(REQUEST, requests), (GIST * beyond, stacked([item.gist_vector for item in items]))]


def stacked(rows: Sequence[Array | None], width: int = 0) -> Array:
    """Rows (n, d), zeros where there is none; (n, width) where there is none at all."""
    width = next((len(row) for row in rows if row is not None), width)
    stacked = np.zeros((len(rows), width), np.float32)
    for at, row in enumerate(rows):
        if row is not None:
            stacked[at] = row
    return stacked


def tool_block(tools: Sequence[Sequence[str]]) -> Array:
    """Which tools items used, and which right after which, the rarer the more: unit rows (n, up to 64)."""
    used = [dict.fromkeys(_tools_and_pairs(names), 1.0) for names in tools]
    n = len(used)
    return _reduced(used, min(_TOOL_ITEMS, n), _TOOL_SHARE * n, lambda count: math.log(n / count), TOOL_DIMENSIONS)


def _tools_and_pairs(names: Sequence[str]) -> Iterable[Hashable]:
    changes = [name for at, name in enumerate(names) if at == 0 or name != names[at - 1]]
    return {(name,) for name in changes} | set(pairwise(changes))


def word_block(words: Sequence[Mapping[str, int]]) -> Array:
    """Which words items said, (1 + log count) times (1 + log rarity): unit rows (n, up to 20)."""
    said = [{word: 1 + math.log(count) for word, count in counts.items() if count > 0} for counts in words]
    n = len(said)

    def rarity(count: int) -> float:
        return math.log((1 + n) / (1 + count)) + 1

    return _reduced(said, min(_WORD_ITEMS, n), max(_WORD_ITEMS, _WORD_SHARE * n), rarity, WORD_DIMENSIONS)


def _reduced(
    items: Sequence[Mapping[Any, float]],
    least: float,
    most: float,
    rarity: Callable[[int], float],
    dimensions: int,
) -> Array:
    """Unit rows of items' term weights, of terms that `least` to `most` items have; (n, 0) where there is none."""
    having = Counter(term for item in items for term in item)
    telling = [term for term, count in having.items() if least <= count <= most]
    telling = sorted(telling, key=lambda term: (-having[term], str(term)))[:_VOCABULARY]
    if not telling:
        return np.zeros((len(items), 0), np.float32)
    column = {term: at for at, term in enumerate(telling)}
    factor = np.array([rarity(having[term]) for term in telling], np.float32)
    ends, columns, values = [0], [], []
    for item in items:
        known = [(column[term], weight) for term, weight in item.items() if term in column]
        known.sort()
        columns += [at for at, _ in known]
        values += [weight for _, weight in known]
        ends.append(len(columns))
    at = np.array(columns, np.int64)
    weights = csr_array((np.array(values, np.float32) * factor[at], at, np.array(ends)), (len(items), len(telling)))
    return latent(_unit_rows(weights), dimensions)


def _unit_rows(weights: csr_array) -> csr_array:
    length = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    scaled = weights.copy()
    scaled.data = scaled.data / np.repeat(np.maximum(length, 1e-9), np.diff(scaled.indptr)).astype(np.float32)
    return scaled
