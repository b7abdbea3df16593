"""What the model is asked for, as JSON. What is said of ids that nobody asked about is ignored."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated

from pydantic import BaseModel, Field, create_model

from shared.listing import Name, Sentence


class NamedGroup(BaseModel):
    id: int
    name: Name
    description: Sentence


class GroupNames(BaseModel):
    """To `names.mustache`."""

    groups: list[NamedGroup]


class LeafGroup(BaseModel):
    name: Name
    description: Sentence
    leaves: list[int]


class Grouping(BaseModel):
    """To `categories.mustache`."""

    categories: list[LeafGroup]


@cache
def grouping(least: int, most: int) -> type[Grouping]:
    """With so many categories, or it is asked for again."""
    categories = Annotated[list[LeafGroup], Field(min_length=least, max_length=most)]
    return create_model("Grouping", __base__=Grouping, categories=(categories, ...))


class Place(BaseModel):
    id: int
    category: int


class Places(BaseModel):
    """To `placing.mustache`."""

    places: list[Place]


def by_item(places: Sequence[Place], items: int, categories: int) -> dict[int, int]:
    """Item (from 0) → category (from 0, -1 for none of them), both counted from 1 in the prompt; the first counts."""
    found: dict[int, int] = {}
    for one in places:
        if 1 <= one.id <= items and 0 <= one.category <= categories:
            found.setdefault(one.id - 1, one.category - 1)
    return found


def partition(groups: Sequence[Sequence[int]], leaves: int) -> list[int | None]:
    """The group (from 0) of each leaf (from 1 in the prompt), the first that names it; None where none does."""
    found: list[int | None] = [None] * leaves
    for place, group in enumerate(groups):
        for leaf in group:
            if 1 <= leaf <= leaves and found[leaf - 1] is None:
                found[leaf - 1] = place
    return found
