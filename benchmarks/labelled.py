"""Short texts with known labels: does the tree find them, and how does BERTopic do on the same vectors in the same run.

Means over seeds 0 to 2. Leaves are automatic unless a number is given. What lies near its bar is stated in the full
form over seeds 0 to 5 as well, with the standard deviation: three seeds move by more than the distance to the bar.
"""

import asyncio
import time
from collections.abc import Iterator

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from benchmarks.engine import analysed
from benchmarks.figure import Figure
from benchmarks.peer import Array, bertopic
from benchmarks.sets import Labelled, labelled
from services.categorizer.clustering import tree
from shared.features import Features
from shared.job_config import JobConfig

SEEDS = (0, 1, 2)
MORE = (3, 4, 5)  # seeds of the full form
# set → bars of leaf ARI, automatic and with the true number of leaves
BARS = {"clinc150": (0.71, 0.745), "banking77": (0.57, 0.565)}
DOMAINS = 0.65
AHEAD = 0.15  # of BERTopic's ARI
FASTER = {3_000: 10.0, 22_500: 5.0}


def figures(full: bool) -> Iterator[Figure]:
    for name in BARS if full else ("banking77",):
        texts = labelled(name)
        texts = in_scope(texts)
        vectors = request_vectors(texts)
        yield from _quality(name, texts, vectors)
        if full:
            yield from _spread(name, texts, vectors)
    yield from _speed(22_500 if full else 3_000)


def request_vectors(texts: Labelled) -> Array:
    """Of the product, by the way that a file of texts takes: (n, 384) in the order of the texts."""
    rows = [{"id": one, "text": text} for one, text in zip(texts.ids, texts.texts, strict=True)]
    config = JobConfig(max_leaves=0)
    items = asyncio.run(analysed(rows, config, text="text", id_field="id")).items
    vectors = [Features.unpack(item.features).request_vector for item in items]
    assert len(vectors) == len(rows)
    return np.stack([vector for vector in vectors if vector is not None])


def in_scope(texts: Labelled) -> Labelled:
    keep = [at for at, label in enumerate(texts.labels) if label != "oos"]
    return Labelled(
        [texts.ids[at] for at in keep],
        [texts.texts[at] for at in keep],
        [texts.labels[at] for at in keep],
        [texts.parents[at] for at in keep],
    )


def _quality(name: str, texts: Labelled, vectors: Array) -> Iterator[Figure]:
    automatic, given = BARS[name]
    leaves = [tree(vectors, max_leaves=0, seed=seed).leaf for seed in SEEDS]
    ours = _mean_ari(texts.labels, leaves)
    yield Figure(f"{name}: leaf ARI, automatic", ours, automatic)
    yield Figure(f"{name}: leaves for {len(set(texts.labels))}", float(np.mean([leaf.max() + 1 for leaf in leaves])))
    known = len(set(texts.labels))
    fixed = [tree(vectors, leaves=known, max_leaves=0, seed=seed).leaf for seed in SEEDS]
    yield Figure(f"{name}: leaf ARI, k given", _mean_ari(texts.labels, fixed), given)
    if name == "clinc150":
        tops = [tree(vectors, top=10, max_leaves=0, seed=seed) for seed in SEEDS]
        nmi = [normalized_mutual_info_score(texts.parents, one.category[one.leaf]) for one in tops]
        yield Figure("clinc150: ten categories, NMI with domains", float(np.mean(nmi)), DOMAINS)
    peer = _mean_ari(texts.labels, bertopic(vectors, texts.texts, repeats=2).labels)
    yield Figure(f"{name}: leaf ARI ahead of BERTopic's", ours - peer, AHEAD, peer=peer)


def _spread(name: str, texts: Labelled, vectors: Array) -> Iterator[Figure]:
    """What lies near its bar, over all seeds."""
    known = len(set(texts.labels))
    fixed = [tree(vectors, leaves=known, max_leaves=0, seed=seed).leaf for seed in SEEDS + MORE]
    yield _with_spread(f"{name}: leaf ARI, k given", [adjusted_rand_score(texts.labels, one) for one in fixed])
    if name == "clinc150":
        tops = [tree(vectors, top=10, max_leaves=0, seed=seed) for seed in SEEDS + MORE]
        nmi = [normalized_mutual_info_score(texts.parents, one.category[one.leaf]) for one in tops]
        yield _with_spread("clinc150: ten categories, NMI with domains", nmi)


def _with_spread(what: str, values: list[float]) -> Figure:
    return Figure(f"{what}, seeds 0 to 5", float(np.mean(values)), unit=f"± {np.std(values):.3f}")


def _mean_ari(labels: list[str], found: list[Array]) -> float:
    return float(np.mean([adjusted_rand_score(labels, one) for one in found]))


def _speed(largest: int) -> Iterator[Figure]:
    texts = in_scope(labelled("clinc150", splits=("train", "val", "test") if largest > 3_000 else ("test",)))
    vectors = request_vectors(texts)
    for rows in (size for size in FASTER if size <= largest):
        chosen = np.random.default_rng(0).permutation(len(vectors))[:rows]
        some = np.ascontiguousarray(vectors[chosen])
        with threadpool_limits(1):  # as in the worker process
            begun = time.perf_counter()
            tree(some, max_leaves=0)
            ours = time.perf_counter() - begun
        peer = bertopic(some, [texts.texts[at] for at in chosen]).seconds[0]
        yield Figure(f"{rows:,} rows: times faster than BERTopic ({ours:.1f} s)", peer / ours, FASTER[rows], peer=peer)
