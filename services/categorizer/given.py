"""Items into categories that the user gave, by what their texts mean; and those that fit none.

Each category is several vectors, its facets: the name, the description, both, each part of the description, each
example. An item's affinity to a category is a soft maximum over facets; affinities walk over the graph of nearest
neighbours (Zhou et al. 2004, "Learning with local and global consistency"), so that what lies together goes together;
and the items that fit a facet best move it towards the words that people really use (Rocchio 1971, as pseudo-relevance
feedback). Nothing is balanced: a category may be empty, or hold everything.

None of them fits an item that is as lonely as a request about anything else would be (`outside.py`), or whose
surroundings fit no facet better than such requests do. What those look like among these very items is measured with
general requests of our own (`shared/general.py`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from services.categorizer.clustering.graph import fuzzy_graph, transitions
from services.categorizer.clustering.sphere import Array, Labels, unit
from services.categorizer.draft import NOWHERE
from services.categorizer.outside import Fit, lonely, neighbours
from shared.general import general_requests

Embed = Callable[[Sequence[str]], Array]  # texts → unit rows (n, d) in the space of the items

_NEIGHBOURS = 15
_SOFT = 0.07  # of the soft maximum over a category's facets, in cosines
_CHOICE = 0.05  # of the soft choice among categories, in cosines
_FAR = 0.9  # of a step of the walk comes from the neighbours
_STEPS = 30
_MODELS = 5  # items that move a facet
_PULL = 4.0  # of these items together, against the facet itself
_MAX_PARTS = 20  # of a description
_PART = re.compile(r"[,;:.\n]| and | or ")
_BLOCK = 16_384


def assign(
    vectors: Array,
    categories: Mapping[str, str],
    examples: Mapping[str, Sequence[str]],
    embed: Embed,
    seed: int = 0,
    *,
    none: bool = True,
) -> Labels:
    """For each item (unit rows, (n, d)) the position of its category in `categories`, or NOWHERE: (n,).

    `categories` is name → description, which may be empty; `examples` is name → texts that belong there. Without
    `none` every item goes to a category.
    """
    if not len(vectors) or not categories:
        return np.full(len(vectors), NOWHERE, np.int64)
    names, n = list(categories), len(vectors)
    told = _Told.of(names, examples, embed)
    facets = [
        np.concatenate([unit(embed(facet_texts(name, about))), told.vectors[told.places == place]])
        for place, (name, about) in enumerate(categories.items())
    ]
    everything = np.concatenate([vectors, told.vectors.reshape(-1, vectors.shape[1])])
    around = _Surroundings.of(everything, seed)
    fit = affinity(everything, facets)
    share = around.walk(_choice(fit), told.share)
    closer = [_moved(of_one, vectors, share[:n, place]) for place, of_one in enumerate(facets)]
    share = around.walk(_choice(affinity(everything, closer)), told.share)
    if not none:
        return np.asarray(share[:n].argmax(axis=1))
    general = unit(embed(general_requests()))
    others = Fit(general, affinity(general, facets).max(axis=1))
    best = fit.max(axis=1)
    alone = lonely(Fit(vectors, best[:n]), share[:n], others, seed)
    unfitting = around.walk(best)[:n] <= np.median(others.best)
    return np.where(alone | unfitting, NOWHERE, share[:n].argmax(axis=1))


def facet_texts(name: str, about: str) -> list[str]:
    """What stands for a category: name, description, both, and each part of the description."""
    if not about.strip():
        return [name]
    parts = [part.strip() for part in _PART.split(about)]
    return [name, about, f"{name}: {about}", *[part for part in parts if part][:_MAX_PARTS]]


def affinity(x: Array, facets: Sequence[Array]) -> Array:
    """Log of the mean exponential of a row's cosines to each category's facets: (n, categories)."""
    found = np.empty((len(x), len(facets)), np.float32)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        for place, facet in enumerate(facets):
            found[start : start + _BLOCK, place] = _SOFT * np.log(np.exp(block @ facet.T / _SOFT).mean(axis=1))
    return found


def _choice(fit: Array) -> Array:
    """Affinities as shares that sum to 1: (n, categories)."""
    weight = np.exp((fit - fit.max(axis=1, keepdims=True)) / _CHOICE)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)


def _moved(facets: Array, vectors: Array, share: Array) -> Array:
    """A category's facets (f, d), each moved towards the items nearest to it, as far as these fit and are `share`d."""
    weight = np.maximum(facets @ vectors.T, 0) * share
    models = np.argsort(-weight, axis=1, kind="stable")[:, :_MODELS]
    pull = np.take_along_axis(weight, models, 1)[:, :, None] * vectors[models]
    return unit(facets + _PULL * pull.mean(axis=1))


@dataclass(frozen=True, slots=True)
class _Told:
    """Texts whose category the user told: vectors (e, d), position of the category (e,), shares (e, categories)."""

    vectors: Array
    places: Labels
    share: Array

    @classmethod
    def of(cls, names: Sequence[str], examples: Mapping[str, Sequence[str]], embed: Embed) -> "_Told":
        told = [(place, text) for place, name in enumerate(names) for text in examples.get(name, ())]
        vectors = unit(embed([text for _, text in told] or names))[: len(told)]
        places = np.array([place for place, _ in told], np.int64)
        return cls(vectors, places, np.eye(len(names), dtype=np.float32)[places])


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """The graph of nearest neighbours: the probabilities of a step (n, n)."""

    step: csr_array

    @classmethod
    def of(cls, x: Array, seed: int) -> "_Surroundings":
        if len(x) < 2:
            return cls(csr_array(np.ones((1, 1), np.float32)))
        m = min(_NEIGHBOURS, max(1, len(x) // 10))  # more would be of other categories
        return cls(transitions(fuzzy_graph(*neighbours(x, m, seed))))

    def walk(self, start: Array, fixed: Array | None = None) -> Array:
        """`start` (n, …) spread over the graph; its last rows are `fixed` ones, and stay as they are."""
        start = start if fixed is None else np.concatenate([start[: len(start) - len(fixed)], fixed])
        free = len(start) if fixed is None else len(start) - len(fixed)
        spread = start.copy()
        for _ in range(_STEPS):
            spread[:free] = ((1 - _FAR) * start + _FAR * (self.step @ spread))[:free]
        return spread
