"""What the engine found: categories and where each item lies, as places in the sample."""

from dataclasses import dataclass, field
from typing import Any

MOST_CATEGORIES = 15
NOBODY = "No trace of this sample is about it."


@dataclass(frozen=True, slots=True)
class Named:
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A subcategory: which items lie in it (places, the most typical first), and how surely each does, 0..1."""

    name: str
    description: str
    members: list[int]
    confidence: list[float]


@dataclass(frozen=True, slots=True)
class Category:
    name: str
    description: str
    leaves: list[Leaf]

    @property
    def size(self) -> int:
        return sum(len(leaf.members) for leaf in self.leaves)


@dataclass(frozen=True, slots=True)
class Found:
    """Categories, the largest first or as they were given; places of odd items; effort of each item; Report.trust."""

    categories: list[Category]
    unusual: list[int] = field(default_factory=list)
    effort: list[float | None] = field(default_factory=list)
    trust: dict[str, Any] = field(default_factory=dict)
