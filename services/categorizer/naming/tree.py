"""Names a whole tree: reads the most typical items of each leaf, then names categories, then leaves against leaves.

The method is ours (see docs): phrases by a shallow grammar, chosen by contrast, so that a category is called what
people ask for in it and not elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.categorizer.clustering.sphere import centroids
from services.categorizer.found import Named
from services.categorizer.naming.candidates import Candidate, candidates
from services.categorizer.naming.choosing import choose, stems
from services.categorizer.naming.counts import Counts, read, together
from services.categorizer.naming.covering import LITTLE, PART, and_others, covering_name, joint_name
from services.categorizer.naming.describing import describe, endings
from services.categorizer.naming.fallback import (
    COMMON,
    DOMAIN_FAVOURITES,
    domain_name,
    is_plain,
    told_apart,
    vague_name,
)
from services.categorizer.naming.languages import foreign_name, is_english
from services.categorizer.naming.listed import category_phrases
from services.categorizer.naming.reading import typical
from services.categorizer.naming.scoring import CATEGORY, LEAF, Ranked, Taste, Texts, rank
from services.categorizer.naming.truth import floor
from services.categorizer.naming.writing import Writer, capitalised
from shared.features import Features
from shared.models import Conduct

Array = np.ndarray[Any, np.dtype[Any]]
Embed = Callable[[Sequence[str]], Array]

READ_ALTOGETHER = 4_000  # items; of a leaf at most MOST, and with many leaves at least LEAST
MOST, LEAST = 200, 40


@dataclass(frozen=True, slots=True)
class Names:
    leaves: list[Named]
    categories: list[Named]


def name_tree(
    items: Sequence[Features],
    leaf: Array,
    category: Array,
    embed: Embed,
    vectors: Array,
    conducts: Sequence[Conduct | None] = (),
    with_list: bool = True,
) -> Names:
    """Names of both levels of a tree.

    `leaf` (n,) of each item, `category` (leaves,) of each leaf, `vectors` (n, d) the unit rows that `embed` makes of
    the requests. `conducts` (n,) or empty. `embed` is called twice: first with `category_phrases()`, whose vectors a
    caller may keep, then with all phrases that compete. `with_list` is for vectors of meaning: where they only tell
    which words are shared, a phrase of the list is close to texts that it is not about.
    """
    if not len(items):
        return Names([], [])
    tree = _Tree(items, leaf, len(category), embed, vectors, conducts, with_list)
    groups = [np.flatnonzero(category == one).tolist() for one in range(int(category.max(initial=-1)) + 1)]
    tree.embed_phrases(groups)
    tops = tree.category_names(groups)
    taken = {
        one: stems(top)
        for top, group in zip(tops, groups, strict=True)
        if top is not None and len(group) > 1
        for one in group
    }
    leaves = tree.name_leaves(category, taken)
    return Names(leaves, tree.name_categories(groups, tops, leaves))


def name_leaves(
    items: Sequence[Features],
    leaf: Array,
    category: Array,
    categories: Sequence[str],
    embed: Embed,
    vectors: Array,
    conducts: Sequence[Conduct | None] = (),
    with_list: bool = True,
) -> list[Named]:
    """Names of the leaves alone, for `categories` that the user named: no leaf is called like its category."""
    if not len(items):
        return []
    tree = _Tree(items, leaf, len(category), embed, vectors, conducts, with_list)
    tree.embed_phrases([])
    return tree.name_leaves(category, {one: stems(categories[top]) for one, top in enumerate(category.tolist())})


class _Tree:
    """What was read of the items, and the vectors of all phrases."""

    def __init__(
        self,
        items: Sequence[Features],
        leaf: Array,
        leaves: int,
        embed: Embed,
        vectors: Array,
        conducts: Sequence[Conduct | None],
        with_list: bool,
    ) -> None:
        self.items, self.vectors, self.embed = items, vectors, embed
        self.conducts = conducts or [None] * len(items)
        self.sizes = np.bincount(leaf, minlength=leaves)
        limit = min(MOST, max(LEAST, READ_ALTOGETHER // max(1, leaves)))
        texts = [item.request for item in items]
        self.sample = list(typical(texts, vectors, leaf, centroids(vectors, leaf, leaves), limit))
        self.writer = Writer()
        share = self.sizes / np.maximum([len(rows) for rows in self.sample], 1)
        self.weight = share[leaf]  # of each item: how many it stands for where it is sampled
        self.counts = [read(self.english(rows), self.writer) for rows in self.sample]
        self.everything = together(self.counts)
        self.own = [candidates(one, self.everything, self.writer) for one in self.counts]
        self.top_counts: list[Counts] = []
        self.top_own: list[list[Candidate]] = []
        self.top_ranked: list[Ranked] = []
        self.phrase_vectors: dict[str, Array] = {}
        self.listed = category_phrases() if with_list else ()
        nothing = np.zeros((0, vectors.shape[1]), np.float32)
        self.listed_vectors = np.asarray(embed(self.listed)) if with_list else nothing

    def english(self, rows: Sequence[int]) -> list[str]:
        return [self.items[row].request for row in rows if is_english(self.items[row].language)]

    def embed_phrases(self, groups: Sequence[Sequence[int]]) -> None:
        """Of leaves and categories, all at once."""
        self.top_counts = [together(self.counts[one] for one in group) for group in groups]
        self.top_own = [candidates(one, self.everything, self.writer) for one in self.top_counts]
        texts = list(dict.fromkeys(one.text for own in [*self.own, *self.top_own] for one in own))
        if texts:
            self.phrase_vectors = dict(zip(texts, np.asarray(self.embed(texts)), strict=True))

    def space(self, rows: Sequence[Sequence[int]]) -> Texts:
        flat = np.array([row for group in rows for row in group], dtype=int)
        group = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
        sampled = self.vectors[flat]
        readable = np.array([is_english(self.items[row].language) for row in flat.tolist()], dtype=bool)
        centres = centroids(sampled, group, len(rows))
        least = floor(sampled[readable], self.listed_vectors)
        return Texts(sampled, group, self.weight[flat], readable, centres, self.listed, self.listed_vectors, least)

    def ranked(
        self, space: Texts, counts: Sequence[Counts], own: Sequence[list[Candidate]], taste: Taste
    ) -> list[Ranked]:
        width = self.vectors.shape[1]
        rows = [np.array([self.phrase_vectors[one.text] for one in some]).reshape(-1, width) for some in own]
        return [rank(group, counts[group], own[group], rows[group], space, taste) for group in range(len(own))]

    def category_names(self, groups: Sequence[Sequence[int]]) -> list[str | None]:
        """None where no phrase covers the category."""
        rows = [self.rows(group) for group in groups]
        space = self.space(rows)
        self.top_ranked = self.ranked(space, self.top_counts, self.top_own, CATEGORY)
        domains = space.votes(DOMAIN_FAVOURITES)
        common = domain_name(domains.mean(0), COMMON)
        names: list[str | None] = []
        for place, ranked in enumerate(self.top_ranked):
            taken = [name for name in names if name is not None]
            domain = domain_name(domains[place])
            covering = covering_name(ranked, None if domain == common else domain, taken)
            names.append(self.foreign(rows[place]) or covering)
        return names

    def name_categories(
        self, groups: Sequence[Sequence[int]], names: Sequence[str | None], leaves: Sequence[Named]
    ) -> list[Named]:
        """With descriptions. A category of one leaf that has no name of its own is called like the leaf."""
        named: list[Named] = []
        for place, group in enumerate(groups):
            if names[place] is None and len(group) == 1:
                named.append(leaves[group[0]])
                continue
            name = names[place] or self.partial_name(group, leaves)
            taken = [one.name for one in named]
            ranked, counts = self.top_ranked[place], self.top_counts[place]
            named.append(self.named(name, self.rows(group), ranked, counts, taken))
        return named

    def partial_name(self, group: Sequence[int], leaves: Sequence[Named]) -> str | None:
        """ "Trivia questions, riddles and other requests": its largest leaves, where they are a good part of it."""
        largest: list[int] = []
        for one in sorted(group, key=lambda one: (-int(self.sizes[one]), one)):
            others = [stems(leaves[other].name) for other in largest]
            own = stems(leaves[one].name)
            if is_plain(leaves[one].name) and not any(own <= other or other <= own for other in others):
                largest.append(one)
        largest = largest[:3]
        for some, least in ((largest[:1], PART), (largest[:2], PART), (largest, LITTLE)):
            if self.sizes[some].sum() >= least * self.sizes[list(group)].sum():
                return and_others(*(leaves[one].name for one in some))
        return None

    def rows(self, group: Sequence[int]) -> list[int]:
        """The sampled items of these leaves."""
        return [row for one in group for row in self.sample[one]]

    def name_leaves(self, category: Array, taken: dict[int, frozenset[str]]) -> list[Named]:
        space = self.space(self.sample)
        ranked = self.ranked(space, self.counts, self.own, LEAF)
        foreign = [self.foreign(rows) for rows in self.sample]
        chosen = choose(ranked, space, taken)
        domains = space.votes(DOMAIN_FAVOURITES)
        common = domain_name(domains.mean(0), COMMON)
        named: list[Named] = []
        for one, place in enumerate(chosen):
            name = foreign[one]
            if name is None and place is not None:
                name = ranked[one].candidates[place].text
            elif name is None:
                domain = domain_name(domains[one])
                name = _joint_name(ranked[one], taken.get(one)) or (None if domain == common else domain)
            siblings = [named[other].name for other in range(one) if category[other] == category[one]]
            named.append(self.named(name, self.sample[one], ranked[one], self.counts[one], siblings))
        return named

    def foreign(self, rows: Sequence[int]) -> str | None:
        return foreign_name([self.items[row].language for row in rows])

    def named(
        self, name: str | None, rows: Sequence[int], ranked: Ranked, counts: Counts, taken: Sequence[str]
    ) -> Named:
        requests = [self.items[row].request for row in rows]
        name = told_apart(capitalised(name or vague_name(requests)), taken, requests)
        return Named(name, describe(name, ranked, counts, requests, self.ending(rows)))

    def ending(self, rows: Sequence[int]) -> str:
        own = set(rows)
        here = [conduct for row in rows if (conduct := self.conducts[row]) is not None]
        others = (row for group in self.sample for row in group if row not in own)
        return endings(here, [conduct for row in others if (conduct := self.conducts[row]) is not None])


def _joint_name(ranked: Ranked, taken: frozenset[str] | None) -> str | None:
    """Of several phrases that tell something, unless the leaf's category is called so."""
    telling = [place for place, candidate in enumerate(ranked.candidates) if not candidate.phrase.bare]
    name = joint_name(ranked, telling)
    return None if name is None or stems(name) == taken else name
