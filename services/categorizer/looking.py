"""Makes a `Draft` of a sample: CPU work for the worker process, which alone imports this."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from services.categorizer import local
from services.categorizer.clustering.neighbours import nearest
from services.categorizer.clustering.sphere import Array, Labels, centroids
from services.categorizer.draft import Closeup, Draft, Surroundings
from services.categorizer.found import Leaf
from services.categorizer.sample import Sample
from services.categorizer.space import Space, space_of
from shared.job_config import JobConfig
from shared.listing import datum

TYPICAL, SPREAD, OUTSIDERS = 5, 3, 3  # items that a leaf is named by
UNSEEN, ALL_UNSEEN = 4, 200  # items that its name is tried with: of a leaf, and altogether
DOUBT, DOUBTFUL_SHARE, ALL_DOUBTFUL = 0.1, 0.1, 100  # confidence below which the model decides; how many at most
NEAR = 8  # neighbours that check where an item was put
LONGEST = 320  # characters of an item
_POOL = 40  # items of a leaf, from its whole length, that may be shown beside the most typical
_LOOKED_AT = 20_000  # items among which outsiders are looked for


def look(sample: Sample, config: JobConfig, place: Labels | None = None) -> Draft:
    """`place` (n,): the position of each item's given category, where they are given."""
    space = space_of(sample.features, config.embedding_model)
    found = local.categories_of(space, sample, config, place)
    leaves = [leaf for category in found.categories for leaf in category.leaves]
    leaf = np.zeros(len(sample), np.int64)
    for at, one in enumerate(leaves):
        leaf[one.members] = at
    centres = centroids(space.whole, leaf, len(leaves))
    closeups = _closeups(space, leaves, leaf, centres)
    doubtful = _doubtful(leaves)
    shown = {item for one in closeups for item in (*one.members, *one.outsiders, *one.unseen, *one.spare)}
    texts = {item: datum(space.items[item].request, LONGEST) for item in sorted(shown.union(doubtful))}
    return Draft(found, closeups, doubtful, centres @ centres.T, texts)


def surroundings(sample: Sample, config: JobConfig) -> Surroundings:
    space = space_of(sample.features, config.embedding_model)
    n = len(sample)
    texts = [datum(one.request, LONGEST) for one in space.items]
    near = nearest(space.whole, NEAR, config.seed)[0] if n > NEAR else np.zeros((n, 0), np.int64)
    return Surroundings(texts, near, local.assigned(space, config))


def _closeups(space: Space, leaves: Sequence[Leaf], leaf: Labels, centres: Array) -> list[Closeup]:
    rows = np.unique(np.linspace(0, len(leaf) - 1, min(len(leaf), _LOOKED_AT)).astype(np.int64))
    tried = min(UNSEEN, max(1, ALL_UNSEEN // max(1, len(leaves))))
    largest = set(sorted(range(len(leaves)), key=lambda at: (-len(leaves[at].members), at))[:ALL_UNSEEN])
    closeups = []
    for at, one in enumerate(leaves):
        likely = [*one.members[: 2 * TYPICAL], *_spread(one.members[2 * TYPICAL :], _POOL)]
        members = list(_distinct(space, likely, len(likely)))
        shown = _shown(members)
        left = [item for item in members if item not in shown] if at in largest else []
        unseen = _spread(left, tried)
        spare = _spread([item for item in left if item not in unseen], tried)
        order = rows[np.argsort(-(space.whole[rows] @ centres[at]), kind="stable")]
        outsiders = _distinct(space, (item for item in order.tolist() if leaf[item] != at), OUTSIDERS)
        closeups.append(Closeup(shown, list(outsiders), unseen, spare))
    return closeups


def _shown(members: Sequence[int]) -> list[int]:
    """The most typical ones and some of the others; of a small leaf two thirds, so that some are left to try."""
    most = min(TYPICAL + SPREAD, max(1, len(members) - len(members) // 3))
    typical = list(members[: min(TYPICAL, most)])
    return typical + _spread(members[len(typical) :], most - len(typical))


def _spread(items: Sequence[int], most: int) -> list[int]:
    """At most so many, from the whole length."""
    if len(items) <= most:
        return list(items)
    return [items[(2 * at + 1) * len(items) // (2 * most)] for at in range(most)]


def _distinct(space: Space, items: Iterable[int], most: int) -> Iterator[int]:
    """The first `most` that have different texts."""
    seen: set[str] = set()
    for item in items:
        text = space.items[item].request
        if text not in seen:
            seen.add(text)
            yield item
        if len(seen) == most:
            return


def _doubtful(leaves: Sequence[Leaf]) -> list[int]:
    """The items that lie between two leaves, the least sure first."""
    if len(leaves) < 2:
        return []
    unsure = [
        (sure, item)
        for leaf in leaves
        for item, sure in zip(leaf.members, leaf.confidence, strict=True)
        if sure < DOUBT
    ]
    n = sum(len(leaf.members) for leaf in leaves)
    return [item for _, item in sorted(unsure)[: min(ALL_DOUBTFUL, int(DOUBTFUL_SHARE * n))]]
