"""Names: do they tell the categories apart, and do they say what people call them.

`disc`: of the texts of one half, the share whose nearest name is that of their own leaf, named on the other half.
F1: overlap of stems between a leaf's name and its label, on true leaves. See `names.md` of the reference.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.figure import Figure
from benchmarks.labelled import in_scope, request_vectors
from benchmarks.peer import Array
from benchmarks.sets import Missing, labelled, traces
from benchmarks.traces import features
from services.categorizer import blocks
from services.categorizer.clustering import tree
from services.categorizer.naming.choosing import stems
from services.categorizer.naming.tree import Names, name_tree
from shared.embedding.encoder import Encoder, load_encoder
from shared.features import Features

LABELLED = {"banking77": (0.60, 0.60), "clinc150": (0.70, 0.49)}  # bars of disc and F1
OPEN = ("tau_bench", "mint", "arena_hard", "devmix")
DISC = 0.53  # mean of the open ones


def figures(full: bool) -> Iterator[Figure]:
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the package of weights is not installed")
    for name in LABELLED if full else ("banking77",):
        yield from _labelled(name, encoder)
    found = []
    for name in OPEN if full else ("tau_bench",):
        items = features(traces(name))
        grown = tree(blocks.vectors(items))
        vectors = blocks.stacked([one.request_vector for one in items])
        names, disc = _disc(items, grown.leaf, grown.category, vectors, encoder)
        found.append(disc)
        yield Figure(f"{name}: disc", disc)
        yield Figure(f"{name}: names with a digit", _with_digits(names), 0.0, at_most=True)
    if full:
        yield Figure("disc, mean of the open sets", float(np.mean(found)), DISC)


def _labelled(name: str, encoder: Encoder) -> Iterator[Figure]:
    texts = in_scope(labelled(name))
    labels, leaf = np.unique(texts.labels, return_inverse=True)
    items = [Features(request=text) for text in texts.texts]
    vectors = request_vectors(texts)
    category = np.zeros(len(labels), np.int64)
    names, disc = _disc(items, leaf, category, vectors, encoder)
    whole = name_tree(items, leaf, category, encoder.encode, vectors)
    disc_bar, f1_bar = LABELLED[name]
    yield Figure(f"{name}: disc", disc, disc_bar)
    f1 = [_f1(found.name, label) for found, label in zip(whole.leaves, labels.tolist(), strict=True)]
    yield Figure(f"{name}: F1 with the labels", float(np.mean(f1)), f1_bar)
    yield Figure(f"{name}: names with a digit", _with_digits(names), 0.0, at_most=True)


def _disc(
    items: Sequence[Features], leaf: Array, category: Array, vectors: Array, encoder: Encoder
) -> tuple[Names, float]:
    """The names that one half of each leaf gets, and the share of the other half that is nearest to its own."""
    shown = _half(leaf)
    rows = np.flatnonzero(shown)
    names = name_tree([items[int(row)] for row in rows], leaf[rows], category, encoder.encode, vectors[rows])
    nearest = (vectors[~shown] @ encoder.encode([one.name for one in names.leaves]).T).argmax(axis=1)
    return names, float((nearest == leaf[~shown]).mean())


def _half(leaf: Array) -> Array:
    """True for the larger half of each leaf, by chance."""
    order = np.random.default_rng(0).permutation(len(leaf))
    shown = np.zeros(len(leaf), bool)
    for one in range(int(leaf.max()) + 1):
        rows = order[leaf[order] == one]
        shown[rows[: (len(rows) + 1) // 2]] = True
    return shown


def _f1(name: str, label: str) -> float:
    ours, theirs = stems(name), stems(label.replace("_", " "))
    common = len(ours & theirs)
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _with_digits(names: Names) -> float:
    return float(sum(any(map(str.isdigit, one.name)) for one in (*names.leaves, *names.categories)))
