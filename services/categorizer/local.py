"""Plain categories: TF-IDF of the items' words, two levels, named by distinguishing words. Deterministic.

Runs in a worker process; it sees only features and texts, and returns places, not ids.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans, MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfTransformer
from sklearn.preprocessing import normalize

from shared.bodies import unpack
from shared.job_config import JobConfig
from shared.models import FEW, NONE_OF_THESE

VERSION = b"w1"  # of the features that the summarizer makes
DIMENSIONS = 50
NAME_WORDS = 3
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A subcategory: which items lie in it (indexes, the most typical first), how surely, and its words."""

    members: list[int]
    confidence: list[float]
    words: list[str]


@dataclass(frozen=True, slots=True)
class Category:
    """A top-level category; `description` where the user gave one."""

    name: str
    description: str | None = None
    leaves: list[Leaf] = field(default_factory=list)


def categorize(features: Sequence[bytes], config: JobConfig) -> list[Category]:
    """Every item in exactly one leaf; largest categories first, except that given ones keep their order."""
    space = _Space(features, config.seed)
    if config.partitions:
        return _given(space, config)
    everything = np.arange(len(features))
    leaves = _split(space, everything, _leaf_count(len(features), config), config)
    return _sorted(_named(space, group) for group in _group(space, leaves, config.hierarchy[1]))


class _Space:
    """Items as unit vectors, and the words to name them by."""

    def __init__(self, features: Sequence[bytes], seed: int) -> None:
        self.seed = seed
        self.vectorizer = DictVectorizer(dtype=np.float32)
        counts = [_words(feature) for feature in features]
        self.counts = self.vectorizer.fit_transform([c or {"": 0.0} for c in counts])
        self.counts.eliminate_zeros()  # of items without words: their logarithm would be no number
        self.tfidf = TfidfTransformer(sublinear_tf=True)
        self.weighted = self.tfidf.fit_transform(self.counts)
        self.names = self.vectorizer.get_feature_names_out()
        self.vectors = self._reduced()

    def _reduced(self) -> Array:
        if self.weighted.shape[1] <= DIMENSIONS + 1 or self.weighted.shape[0] <= DIMENSIONS:
            dense: Array = self.weighted.toarray()
            return dense
        svd = TruncatedSVD(DIMENSIONS, random_state=self.seed)
        reduced: Array = normalize(svd.fit_transform(self.weighted))
        return reduced


def _words(feature: bytes) -> dict[str, float]:
    if not feature.startswith(VERSION):
        raise ValueError(f"features of version {feature[:2]!r} are not known")
    words: dict[str, float] = unpack(feature[len(VERSION) :])
    return {word: count for word, count in words.items() if word not in ENGLISH_STOP_WORDS}


def _leaf_count(items: int, config: JobConfig) -> int:
    if config.hierarchy[0] is not None:
        return min(config.hierarchy[0], items)
    if items < FEW:
        return 1
    automatic: int = max(2, round((items / 2) ** 0.5))
    return min(automatic, config.max_leaves) if config.max_leaves else automatic


def _split(space: _Space, members: Array, k: int, config: JobConfig) -> list[Leaf]:
    """At most k leaves of these items; fewer where items are alike."""
    vectors = space.vectors[members]
    k = min(k, len(np.unique(vectors.round(6), axis=0)))
    if k <= 1:
        return [_leaf(space, members, np.zeros(len(members)), np.ones(len(members)))]
    kind = MiniBatchKMeans if len(members) > 10_000 else KMeans
    model = kind(k, random_state=config.seed, n_init=3).fit(vectors)
    distances = model.transform(vectors)
    nearest = distances.argmin(axis=1)
    two = np.partition(distances, 1, axis=1)
    sure = 1 - two[:, 0] / np.maximum(two[:, 1], 1e-9)
    own = distances[np.arange(len(members)), nearest]
    places = [np.flatnonzero(nearest == place) for place in range(k)]
    return [_leaf(space, members[at], own[at], sure[at]) for at in places if len(at)]


def _leaf(space: _Space, members: Array, distance: Array, confidence: Array) -> Leaf:
    order = np.lexsort((members, distance))
    return Leaf(
        [int(member) for member in members[order]],
        [round(float(value), 4) for value in np.clip(confidence[order], 0, 1)],
        _telling(space, members),
    )


def _telling(space: _Space, members: Array) -> list[str]:
    """Words that these items use more than the others do, best first: mean weight here less mean weight overall."""
    inside = np.asarray(space.weighted[members].mean(axis=0)).ravel()
    overall = np.asarray(space.weighted.mean(axis=0)).ravel()
    score = inside - overall * 0.5
    order = np.lexsort((space.names, -score))[: 4 * NAME_WORDS]
    return [str(space.names[at]) for at in order if inside[at] > 0 and space.names[at]]


def _group(space: _Space, leaves: list[Leaf], top: int | None) -> list[list[Leaf]]:
    """Leaves under categories: Ward on their centroids."""
    k = min(top or max(1, round(1.5 * len(leaves) ** 0.5)), len(leaves))
    if k == len(leaves) or k == 1:
        return [[leaf] for leaf in leaves] if k > 1 else [leaves]
    centroids = normalize(np.stack([space.vectors[leaf.members].mean(axis=0) for leaf in leaves]))
    labels = AgglomerativeClustering(k).fit_predict(centroids)
    return [[leaves[at] for at in np.flatnonzero(labels == label)] for label in range(k)]


def _named(space: _Space, leaves: list[Leaf]) -> Category:
    members = np.array([member for leaf in leaves for member in leaf.members])
    words = _telling(space, members)
    return Category(", ".join(words[:NAME_WORDS]) or "No words", None, leaves)


def _sorted(categories: Any) -> list[Category]:
    def size(category: Category) -> int:
        return sum(len(leaf.members) for leaf in category.leaves)

    ordered = sorted(categories, key=lambda category: (-size(category), category.name))
    return [
        Category(c.name, c.description, sorted(c.leaves, key=lambda leaf: (-len(leaf.members), leaf.members[0])))
        for c in ordered
    ]


def _given(space: _Space, config: JobConfig) -> list[Category]:
    """The user's categories: each item goes to the one whose name and description it shares most weight with."""
    texts = [Counter(f"{name} {about}".lower().split()) for name, about in config.partitions.items()]
    given = space.tfidf.transform(space.vectorizer.transform(texts))
    likeness = np.asarray((space.weighted @ given.T).todense())
    place = np.where(likeness.max(axis=1) > 0, likeness.argmax(axis=1), len(texts))
    found = []
    for at, (name, about) in enumerate(
        [*config.partitions.items(), (NONE_OF_THESE, "What fits none of the given categories.")]
    ):
        members = np.flatnonzero(place == at)
        share = round(_leaf_count(len(place), config) * len(members) / len(place))
        leaves = _split(space, members, max(1, share), config) if len(members) else []
        if leaves or name != NONE_OF_THESE:
            found.append(Category(name, about or None, leaves))
    return found
