"""Names tried out: does somebody who knows only the names find where an item lies? Who doubts an item is settled, too.

A name that most of its own items are not found by is written once more, and the better of both stays; the new name is
tried with others of them, where there are some.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.categorizer.draft import Draft
from services.categorizer.found import Named
from services.categorizer.leaf_names import Again, name_again
from services.categorizer.placing import place_items
from shared.questions import Questions, together

ENOUGH = 0.5  # of the unseen items of a leaf that find it by its name
FRESH = 2  # others, with which a new name is tried


@dataclass(frozen=True, slots=True)
class Tried:
    """The names that stand, where the model puts each doubtful item, and how many unseen items found their leaf.

    same_members: of the renamed leaves those that had no others to try the new name with, so that its score flatters.
    """

    names: dict[int, Named]  # of the leaves of one category
    moved: dict[int, int] = field(default_factory=dict)  # doubtful item → leaf
    attracted: int = 0
    tried: int = 0
    renamed: int = 0
    same_members: int = 0

    @property
    def share(self) -> float:
        return self.attracted / self.tried if self.tried else 0.0


async def try_names(
    questions: Questions, draft: Draft, names: Sequence[Named], groups: Sequence[Sequence[int]]
) -> list[Tried]:
    """Of each category, given by its leaves."""
    return await together(_Trial(questions, draft, group).run(names) for group in groups)


class _Trial:
    """Of the leaves of one category."""

    def __init__(self, questions: Questions, draft: Draft, leaves: Sequence[int]) -> None:
        self._questions, self._draft, self._leaves = questions, draft, leaves
        own = {item: leaf for leaf in leaves for item in draft.leaves[leaf].members}
        self._doubtful = [item for item in draft.doubtful if item in own]
        self._unseen = {item: leaf for leaf in leaves for item in draft.closeups[leaf].unseen}

    async def run(self, names: Sequence[Named]) -> Tried:
        mine = {leaf: names[leaf] for leaf in self._leaves}
        if len(self._leaves) < 2:
            return Tried(mine)
        found = await self._placed(mine, self._unseen)
        first = self._tried(mine, found, self._unseen)
        failing = self._failing(mine, found)
        if not failing:
            return first
        again = Again(failing, names, [named.name for leaf, named in mine.items() if leaf not in failing])
        written = await name_again(self._questions, self._draft, again)
        better = {leaf: named for leaf, named in written.items() if named.name != mine[leaf].name}
        return await self._second(first, better) if better else first

    async def _second(self, first: Tried, better: Mapping[int, Named]) -> Tried:
        """The new names if they attract more, each tried with other members than the old one failed with."""
        names, fresh = {**first.names, **better}, self._fresh(better)
        anew = set(fresh.values())
        unseen = {item: leaf for item, leaf in self._unseen.items() if leaf not in anew} | fresh
        second = self._tried(names, await self._placed(names, unseen), unseen)
        unlike = len(_different(names)) > len(_different(first.names))
        if not unlike and second.share <= first.share:
            return first
        return replace(second, renamed=len(better), same_members=len(better.keys() - anew))

    def _fresh(self, leaves: Iterable[int]) -> dict[int, int]:
        """Members that no name was tried with yet, of the leaves that have enough of them."""
        spare = {leaf: self._draft.closeups[leaf].spare for leaf in leaves}
        return {item: leaf for leaf, items in spare.items() if len(items) >= FRESH for item in items}

    async def _placed(self, names: Mapping[int, Named], unseen: Iterable[int]) -> dict[int, int | None]:
        """Item → the leaf where the model puts it by the names, None for none of them."""
        options = [names[leaf].name for leaf in self._leaves]
        items = list(dict.fromkeys((*unseen, *self._doubtful)))
        places = await place_items(self._questions, options, items, self._draft.texts)
        return {item: self._leaves[at] if at >= 0 else None for item, at in places.items()}

    def _tried(self, names: Mapping[int, Named], found: Mapping[int, int | None], unseen: Mapping[int, int]) -> Tried:
        known = [item for item in unseen if item in found]
        moved = {item: leaf for item in self._doubtful if (leaf := found.get(item)) is not None}
        return Tried(dict(names), moved, sum(found[item] == unseen[item] for item in known), len(known))

    def _failing(self, names: Mapping[int, Named], found: Mapping[int, int | None]) -> list[int]:
        """Those whose name is a sibling's, or does not attract half of its own."""
        different = _different(names)
        return [leaf for leaf in self._leaves if leaf not in different or self._share(leaf, found) < ENOUGH]

    def _share(self, leaf: int, found: Mapping[int, int | None]) -> float:
        own = [item for item, other in self._unseen.items() if other == leaf and item in found]
        return sum(found[item] == leaf for item in own) / len(own) if own else 1.0


def _different(names: Mapping[int, Named]) -> set[int]:
    """The leaves that are called as no leaf before them."""
    first: dict[str, int] = {}
    for leaf, named in names.items():
        first.setdefault(named.name.casefold(), leaf)
    return set(first.values())
