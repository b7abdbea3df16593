"""Names tried out: does somebody who knows only the names find where an item lies? Who doubts an item is settled, too.

A name that most of its own items are not found by is written once more, and the better of both stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.categorizer.draft import Draft
from services.categorizer.found import Named
from services.categorizer.leaf_names import Again, name_again
from services.categorizer.placing import place_items
from shared.questions import Questions, together

ENOUGH = 0.5  # of the unseen items of a leaf that find it by its name


@dataclass(frozen=True, slots=True)
class Tried:
    """The names that stand, where the model puts each doubtful item, and how many unseen items found their leaf."""

    names: dict[int, Named]  # of the leaves of one category
    moved: dict[int, int] = field(default_factory=dict)  # doubtful item → leaf
    attracted: int = 0
    tried: int = 0
    renamed: int = 0


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
        self._items = list(dict.fromkeys((*self._unseen, *self._doubtful)))

    async def run(self, names: Sequence[Named]) -> Tried:
        mine = {leaf: names[leaf] for leaf in self._leaves}
        if len(self._leaves) < 2:
            return Tried(mine)
        first = await self._try(mine)
        failing = self._failing(mine, first)
        if not failing:
            return first.tried
        again = Again(failing, names, [named.name for leaf, named in mine.items() if leaf not in failing])
        better = await name_again(self._questions, self._draft, again)
        if not better:
            return first.tried
        second = await self._try({**mine, **better})
        unlike = len(_different(second.tried.names)) > len(_different(mine))
        if unlike or second.tried.attracted > first.tried.attracted:
            return replace(second.tried, renamed=len(better))
        return first.tried

    async def _try(self, names: Mapping[int, Named]) -> "_Answers":
        options = [names[leaf].name for leaf in self._leaves]
        places = await place_items(self._questions, options, self._items, self._draft.texts)
        found = {item: self._leaves[at] if at >= 0 else None for item, at in places.items()}
        known = [item for item in self._unseen if item in found]
        moved = {item: leaf for item in self._doubtful if (leaf := found.get(item)) is not None}
        attracted = sum(found[item] == self._unseen[item] for item in known)
        return _Answers(Tried(dict(names), moved, attracted, len(known)), found)

    def _failing(self, names: Mapping[int, Named], answers: "_Answers") -> list[int]:
        """Those whose name is a sibling's, or does not attract half of its own."""
        different = _different(names)
        return [leaf for leaf in self._leaves if leaf not in different or self._share(leaf, answers) < ENOUGH]

    def _share(self, leaf: int, answers: "_Answers") -> float:
        own = [item for item, other in self._unseen.items() if other == leaf and item in answers.found]
        return sum(answers.found[item] == leaf for item in own) / len(own) if own else 1.0


@dataclass(frozen=True, slots=True)
class _Answers:
    tried: Tried
    found: dict[int, int | None]


def _different(names: Mapping[int, Named]) -> set[int]:
    """The leaves that are called as no leaf before them."""
    first: dict[str, int] = {}
    for leaf, named in names.items():
        first.setdefault(named.name.casefold(), leaf)
    return set(first.values())
