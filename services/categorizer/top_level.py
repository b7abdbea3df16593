"""The top level by the model: leaves grouped by their names and descriptions, each in exactly one category."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.categorizer.answers import Grouping, grouping, partition
from services.categorizer.draft import Array
from services.categorizer.found import MOST_CATEGORIES, Named
from shared.listing import datum
from shared.questions import Questions

SHOWN = 300  # leaves at most, the largest; others go where the leaf nearest to them went
LONGEST = 240  # characters of a leaf's name and description


@dataclass(frozen=True, slots=True)
class Grouped:
    named: Named
    leaves: list[int]


async def group_leaves(
    questions: Questions, names: Sequence[Named], sizes: Sequence[int], likeness: Array, top: int | None
) -> list[Grouped] | None:
    """Categories of these leaves, `top` of them if that is given; None where the model made none that can be used."""
    shown = sorted(sorted(range(len(names)), key=lambda at: (-sizes[at], at))[:SHOWN])
    least, most = (2, MOST_CATEGORIES) if top is None else (top, top)
    least, most = min(least, len(shown)), min(most, len(shown))
    values = {
        "wanted": _wanted(least, most),
        "leaves": [
            {"id": place, "size": sizes[at], "text": datum(f"{names[at].name}: {names[at].description}", LONGEST)}
            for place, at in enumerate(shown, 1)
        ],
    }
    answer = await questions.ask("categories", values, grouping(least, most), 200 + 60 * most + 5 * len(shown))
    return _repaired(answer, shown, len(names), likeness, top) if answer else None


def _wanted(least: int, most: int) -> str:
    if least == most:
        return f"exactly {most} categories" if most > 1 else "one category"
    return f"{least} to {most} categories, as few as tell purposes apart,"


def _repaired(
    answer: Grouping, shown: Sequence[int], leaves: int, likeness: Array, top: int | None
) -> list[Grouped] | None:
    """Every leaf once: one that was left out goes with the leaf nearest to it; None if too few categories hold any."""
    told = partition([one.leaves for one in answer.categories], len(shown))
    place = {shown[at]: group for at, group in enumerate(told) if group is not None}
    if not place or (top is not None and len(set(place.values())) < min(top, leaves)):
        return None
    known = sorted(place)
    for leaf in range(leaves):
        if leaf not in place:
            place[leaf] = place[max(known, key=lambda other: float(likeness[leaf, other]))]
    grouped = [
        Grouped(Named(one.name, one.description), [leaf for leaf in range(leaves) if place[leaf] == at])
        for at, one in enumerate(answer.categories)
    ]
    return [one for one in grouped if one.leaves]
