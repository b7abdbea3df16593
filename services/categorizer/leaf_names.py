"""Names of leaves by the model, from what lies in them and what lies near them; several leaves a question."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.categorizer.answers import GroupNames
from services.categorizer.draft import Closeup, Draft
from services.categorizer.found import Named
from shared.listing import datum
from shared.llm import estimate_tokens
from shared.questions import Questions, together

LEAVES, TOKENS = 8, 4_000  # of a question at most
ANSWER = 90  # tokens that a leaf's name and description take
TAKEN = 60  # names of others that a question shows at most
NAME = 80  # characters of a name as data


@dataclass(frozen=True, slots=True)
class Again:
    """Leaves to be named once more, the names that they had, and those of others."""

    leaves: Sequence[int]
    before: Sequence[Named]
    taken: Sequence[str]


async def name_leaves(questions: Questions, draft: Draft, inside: Sequence[str] = ()) -> list[Named]:
    """One each: the model's, or where it gives none the one that was made without it.

    `inside`: for each category of the draft its name, where users gave it.
    """
    before = [Named(leaf.name, leaf.description) for leaf in draft.leaves]
    part_of = {leaf: inside[at] for at, group in enumerate(draft.groups) for leaf in group} if inside else {}
    shown = [_shown(at, one, draft.texts, part_of.get(at)) for at, one in enumerate(draft.closeups)]
    found = await _asked(questions, shown, {})
    return [found.get(at, named) for at, named in enumerate(before)]


async def name_again(questions: Questions, draft: Draft, again: Again) -> dict[int, Named]:
    """New names of some leaves; of those that got one."""
    shown = [
        _shown(at, draft.closeups[at], draft.texts, None) | {"before": datum(again.before[at].name, NAME)}
        for at in again.leaves
    ]
    taken = [datum(name, NAME) for name in again.taken[:TAKEN]]
    return await _asked(questions, shown, {"again": True, "has_taken": bool(taken), "taken": taken})


def _shown(leaf: int, closeup: Closeup, texts: Mapping[int, str], inside: str | None) -> dict[str, Any]:
    return {
        "id": leaf + 1,
        "members": [texts[item] for item in closeup.members],
        "outsiders": [texts[item] for item in closeup.outsiders],
        **({"inside": datum(inside, NAME)} if inside else {}),
    }


async def _asked(questions: Questions, shown: Sequence[Mapping[str, Any]], more: Mapping[str, Any]) -> dict[int, Named]:
    async def ask(part: Sequence[Mapping[str, Any]]) -> dict[int, Named]:
        answer = await questions.ask("names", {"groups": part, **more}, GroupNames, 60 + ANSWER * len(part))
        asked = {one["id"] for one in part}
        named = [one for one in (answer.groups if answer else ()) if one.id in asked and one.name]
        return {one.id - 1: Named(one.name, one.description) for one in reversed(named)}  # the first of an id counts

    parts = await together(ask(part) for part in _parts(shown))
    return {leaf: named for part in parts for leaf, named in part.items()}


def _parts(shown: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """In order, so that siblings are named together; short ones share a question."""
    part: list[Mapping[str, Any]] = []
    tokens = 0
    for one in shown:
        own = sum(estimate_tokens(text) for text in (*one["members"], *one["outsiders"]))
        if part and (len(part) == LEAVES or tokens + own > TOKENS):
            yield part
            part, tokens = [], 0
        part.append(one)
        tokens += own
    if part:
        yield part
