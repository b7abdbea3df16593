"""What a boolean that has nothing to do with the topic adds to subcategories that it steers, and costs the topics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.sets import labelled
from services.categorizer import steering
from services.categorizer.clustering import tree
from services.categorizer.clustering.sphere import Array, Labels
from shared.job_config import AttributeSchema

INTENTS = 20
ITEMS = 2_000
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Topics:
    """Requests of some of CLINC150's intents, the domain of each, and a boolean that half of them have, by chance."""

    requests: list[str]
    domains: Labels
    holds: Flags


def topics(seed: int) -> Topics:
    texts = labelled("clinc150", splits=("train", "val", "test"))
    rng = np.random.default_rng(seed)
    intents = rng.choice(sorted(set(texts.labels)), INTENTS, replace=False)
    rows = rng.permutation(np.flatnonzero(np.isin(texts.labels, intents)))[:ITEMS]
    domains = np.unique([str(texts.parents[at]) for at in rows], return_inverse=True)[1]
    return Topics([texts.texts[at] for at in rows], domains, rng.random(len(rows)) < 0.5)


def pulled(
    vectors: Array,
    found: Topics,
    told: Sequence[Mapping[str, Any]],
    schemas: Mapping[str, AttributeSchema],
    seed: int,
) -> tuple[float, float]:
    """What steering by the values `told` adds to the purity of leaves, and costs the categories in NMI."""
    columns = steering.columns(told, schemas)
    plain, steered = tree(vectors, seed=seed), tree(vectors, seed=seed, columns=columns)
    purity = [_purity(one.leaf, found.holds) for one in (plain, steered)]
    nmi = [float(normalized_mutual_info_score(found.domains, one.category[one.leaf])) for one in (plain, steered)]
    return purity[1] - purity[0], nmi[0] - nmi[1]


def _purity(leaf: Labels, holds: Flags) -> float:
    shares = [max(np.mean(holds[leaf == at]), 1 - np.mean(holds[leaf == at])) * np.mean(leaf == at) for at in set(leaf)]
    return float(np.sum(shares))
