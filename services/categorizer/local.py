"""The engine without a model: the same categories every time, from vectors, words and counts.

Runs in a worker process; it sees a sample without ids, and returns places in it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from services.categorizer import given, steering, values
from services.categorizer.clustering.agreement import agreement
from services.categorizer.clustering.tree import Tree, tree
from services.categorizer.draft import NOWHERE
from services.categorizer.found import NOBODY, Category, Found, Leaf, Named
from services.categorizer.naming.tree import name_leaves, name_tree
from services.categorizer.sample import Sample
from services.categorizer.space import Space, space_of
from shared.effort import effort
from shared.job_config import JobConfig
from shared.models import FEW, NONE_OF_THESE
from shared.trust import UNKNOWN
from shared.values import canonical

Array = np.ndarray[Any, np.dtype[Any]]
Parts = tuple[list[Category], Array, dict[str, float] | None]  # categories, which items are odd, agreement

NO_CATEGORY = "What fits none of the given categories."


def categorize(sample: Sample, config: JobConfig) -> Found:
    """Every item in exactly one leaf."""
    return categories_of(space_of(sample.features), sample, config)


def categories_of(space: Space, sample: Sample, config: JobConfig, place: Array | None = None) -> Found:
    """As `categorize`; `place` (n,) is each item's position among the given categories, where somebody knows it."""
    schemas = config.attribute_schemas
    spellings = values.merged(sample.attributes, schemas, space.embed if space.of_meaning else None)
    columns = steering.columns([canonical(one, spellings) for one in sample.attributes], schemas)
    if config.partitions:
        categories, odd, agreed = _given(space, sample, config, columns, place)
    else:
        categories, odd, agreed = _grown(space, sample, config, columns)
    languages = Counter(one.language or UNKNOWN for one in space.items)
    trust = {
        "vectors": space.name,
        "stability": agreed,
        "items_looked_at": len(sample),
        "languages": dict(sorted(languages.items())),
        "values": {name: one.dump() for name, one in spellings.items()},
    }
    return Found(categories, np.flatnonzero(odd).tolist(), effort(sample.conducts, sample.errors), trust)


def _grown(space: Space, sample: Sample, config: JobConfig, columns: Array | None) -> Parts:
    """Categories that the items themselves make, the largest first."""
    leaves, top = config.hierarchy
    fixed: dict[str, Any] = {"leaves": leaves, "top": top, "max_leaves": config.max_leaves, "columns": columns}
    found = tree(space.whole, seed=config.seed, **fixed)
    agreed = agreement(space.whole, found, seed=config.seed, **fixed)  # before names, which need more memory
    names = name_tree(
        space.items, found.leaf, found.category, space.embed, space.requests, sample.conducts, space.of_meaning
    )
    named = _leaves(found, names.leaves)
    categories = [
        Category(top.name, top.description, _by_size([named[place] for place in np.flatnonzero(found.category == at)]))
        for at, top in enumerate(names.categories)
    ]
    ordered = sorted(categories, key=lambda one: (-one.size, one.name))
    return ordered, found.unusual, None if agreed is None else asdict(agreed)


def assigned(space: Space, config: JobConfig) -> Array:
    """(n,): the position of each item's given category, or NOWHERE."""
    return given.assign(space.requests, config.partitions, config.partition_examples, space.embed, config.seed)


def _given(space: Space, sample: Sample, config: JobConfig, columns: Array | None, place: Array | None) -> Parts:
    """The user's categories in their order, each with the leaves that its items make, and what fits none of them."""
    place = assigned(space, config) if place is None else place
    groups = [np.flatnonzero(place == at) for at in (*range(len(config.partitions)), NOWHERE)]
    about = [*config.partitions.items(), (NONE_OF_THESE, NO_CATEGORY)]
    found = _joined([_inside(space, members, config, columns) for members in groups], groups)
    names = [name for name, _ in about]
    named = _leaves(
        found,
        name_leaves(
            space.items,
            found.leaf,
            found.category,
            names,
            space.embed,
            space.requests,
            sample.conducts,
            space.of_meaning,
        ),
    )
    categories = [
        Category(name, text or _about(inside), inside)
        for at, (name, text) in enumerate(about)
        if (inside := _by_size([named[leaf] for leaf in np.flatnonzero(found.category == at)])) or name != NONE_OF_THESE
    ]
    return categories, found.unusual, None


def _inside(space: Space, members: Array, config: JobConfig, columns: Array | None) -> Tree:
    """The leaves of one category, which get their share of a fixed number."""
    leaves = config.hierarchy[0]
    if leaves is not None:
        leaves = max(1, round(leaves * len(members) / len(space.items)))
    few = len(members) < FEW and leaves is None
    return tree(
        space.whole[members],
        leaves=leaves,
        top=None if few else 1,
        max_leaves=config.max_leaves,
        seed=config.seed,
        columns=None if columns is None else columns[members],
    )


def _joined(trees: Sequence[Tree], groups: Sequence[Array]) -> Tree:
    """Trees of one category each as one tree, whose categories are the trees."""
    starts = np.cumsum([0, *(len(one.category) for one in trees)])
    back = np.argsort(np.concatenate(groups))
    leaf = np.concatenate([one.leaf + start for one, start in zip(trees, starts[:-1], strict=True)])[back]
    category = np.repeat(np.arange(len(trees)), np.diff(starts))
    confidence = np.concatenate([one.confidence for one in trees])[back]
    return Tree(leaf, category, confidence, np.concatenate([one.unusual for one in trees])[back])


def _leaves(found: Tree, names: Sequence[Named]) -> list[Leaf]:
    """Their members by confidence, ties by place."""
    order = np.lexsort((-found.confidence, found.leaf))
    ends = np.cumsum(np.bincount(found.leaf, minlength=len(names)))[:-1]
    return [
        Leaf(named.name, named.description, members.tolist(), found.confidence[members].round(4).tolist())
        for named, members in zip(names, np.split(order, ends), strict=True)
    ]


def _by_size(leaves: list[Leaf]) -> list[Leaf]:
    return sorted(leaves, key=lambda leaf: (-len(leaf.members), leaf.members[0]))


def _about(leaves: Sequence[Leaf]) -> str:
    """Of a category that the user did not describe: what its largest leaf says of itself."""
    return leaves[0].description if leaves else NOBODY
