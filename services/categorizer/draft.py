"""What a model is shown: a tree made without it, and of each leaf a few items to name it by, and a few to try the name.

`looking.py` makes it, in the worker process. Items are places in the sample; leaves are counted through all categories.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from services.categorizer.found import Found, Leaf

NOWHERE = -1  # in place of the position of a given category
Array = np.ndarray[Any, np.dtype[Any]]
Labels = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Closeup:
    """Of one leaf. `spare`: further unseen members, for a name that is tried a second time."""

    members: list[int]
    outsiders: list[int]
    unseen: list[int]
    spare: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draft:
    """`likeness`: cosines of the leaves' centres (leaves, leaves). `texts`: of the items that are shown."""

    found: Found
    closeups: list[Closeup]
    doubtful: list[int]
    likeness: Array
    texts: dict[int, str]

    @property
    def leaves(self) -> list[Leaf]:
        return [leaf for category in self.found.categories for leaf in category.leaves]

    @property
    def groups(self) -> list[list[int]]:
        """The leaves of each category."""
        ends = np.cumsum([0, *(len(category.leaves) for category in self.found.categories)]).tolist()
        return [list(range(start, end)) for start, end in pairwise(ends)]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Of all n items: texts, nearest items (n, k), and the given category (n,) that is right without a model."""

    texts: list[str]
    near: Labels
    place: Labels
