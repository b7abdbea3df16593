"""Given categories: each item put into one of them, or into none, by the model; doubtful answers are asked for again.

An answer is doubtful if nearly all of the item's nearest neighbours went to one other category. The second question
shows the item alone, so that no neighbour in the list pulls it; its answer stands.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.categorizer.draft import NOWHERE, Labels, Surroundings
from services.categorizer.placing import place_items
from shared.job_config import JobConfig
from shared.questions import Questions, together

AGREED = 0.75  # of the neighbours, in another category than the item
AGAIN_SHARE, AGAIN = 0.03, 50  # of the items, and altogether, that are asked again alone at most
SHOWN_EXAMPLES = 5  # of a category
EXAMPLE = 120  # characters


@dataclass(frozen=True, slots=True)
class Assigned:
    """`place` (n,): position of the given category or NOWHERE; counts of items."""

    place: Labels
    without_answer: int  # placed without the model
    asked_again: int
    changed: int


async def assign_items(questions: Questions, around: Surroundings, config: JobConfig) -> Assigned:
    """Items that the model gives no place, twice asked, stay where the local engine puts them."""
    told = [_told(name, about, config.partition_examples.get(name, ())) for name, about in config.partitions.items()]
    texts = dict(enumerate(around.texts))
    found = await place_items(questions, told, list(texts), texts)
    if missing := [item for item in texts if item not in found]:
        found |= await place_items(questions, told, missing, texts)
    place = around.place.copy()
    for item, category in found.items():
        place[item] = category if category >= 0 else NOWHERE
    again = doubtful(place, around.near)
    second = await together(place_items(questions, told, [item], texts) for item in again)
    changed = 0
    for one in second:
        for item, category in one.items():
            changed += int(place[item]) != category
            place[item] = category
    return Assigned(place, len(texts) - len(found), len(again), changed)


def _told(name: str, about: str, examples: Sequence[str]) -> str:
    shown = "; ".join(f"“{text[:EXAMPLE]}”" for text in examples[:SHOWN_EXAMPLES])
    return name + (f": {about}" if about.strip() else "") + (f" (such as {shown})" if shown else "")


def doubtful(place: Labels, near: Labels) -> list[int]:
    """Items whose neighbours (n, k) are nearly all in one other category, those that stand most alone first."""
    if not near.shape[1]:
        return []
    alone: list[tuple[float, int]] = []
    for item, others in enumerate(place[near].tolist()):
        category, count = Counter(others).most_common(1)[0]
        if category != place[item] and count >= AGREED * near.shape[1]:
            alone.append((-count, item))
    most = min(AGAIN, int(np.ceil(AGAIN_SHARE * len(place))))
    return [item for _, item in sorted(alone)[:most]]
