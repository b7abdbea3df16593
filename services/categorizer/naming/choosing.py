"""One name a group, all together: the best for each, unlike the others', and such that the texts find their own.

The surest first, each group takes its best name. Then, group by group, a name is exchanged for another where that pays:
its own score, and the share of sampled texts whose nearest name becomes or stays that of their own group (coordinate
ascent).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from services.categorizer.naming.lexicon import lemma
from services.categorizer.naming.phrases import Kind
from services.categorizer.naming.scoring import Ranked, Texts
from services.categorizer.naming.words import DETERMINERS, PREPOSITIONS

Array = np.ndarray[Any, np.dtype[Any]]

TRIED = 12  # best candidates of a group
SWEEPS = 3
FOUND = 1.2  # weight of the texts that find their own name
ALIKE = 0.15  # taken off, in proportion, from a cosine of .7 to another's name
STEM = 5  # letters by which words are compared


@dataclass(frozen=True, slots=True)
class _Option:
    place: int  # among the ranked
    score: float
    vector: Array
    stems: frozenset[str]


def choose(ranked: Sequence[Ranked], space: Texts, taken: Mapping[int, frozenset[str]]) -> list[int | None]:
    """Of each group the place of its name among its candidates; None where it has none.

    `taken`: stems of the name that a group may not have, since its category has it.
    """
    options = [_options(one, taken.get(group)) for group, one in enumerate(ranked)]
    chosen: list[int | None] = [None] * len(ranked)
    closeness = [space.vectors @ np.array([option.vector for option in own]).T if own else None for own in options]
    best = [max((option.score for option in own), default=0.0) for own in options]
    order = sorted(range(len(ranked)), key=lambda group: (-round(best[group], 6), group))
    for sweep in range(SWEEPS + 1):
        before = list(chosen)
        for group in order:
            if options[group]:
                found = _found(group, chosen, closeness, space) if sweep else np.zeros(len(options[group]))
                chosen[group] = _best(group, options, chosen, FOUND * found)
        if chosen == before:
            break
    return [None if place is None else options[group][place].place for group, place in enumerate(chosen)]


def _options(ranked: Ranked, taken: frozenset[str] | None) -> list[_Option]:
    """The best of each set of stems; where the fixed list has the same name, as it stands there."""
    found: dict[frozenset[str], _Option] = {}
    for place, candidate in enumerate(ranked.candidates):
        key = stems(candidate.text)
        if key == taken or not ranked.is_true(place):
            continue
        if key not in found and len(found) < TRIED:
            found[key] = _Option(place, float(ranked.scores[place]), ranked.vectors[place], key)
        elif key in found and candidate.phrase.kind is Kind.LISTED and _is_thing(ranked, found[key]):
            found[key] = replace(found[key], place=place, vector=ranked.vectors[place])
    return list(found.values())


def _is_thing(ranked: Ranked, option: _Option) -> bool:
    return ranked.candidates[option.place].phrase.kind is Kind.THING


def stems(text: str) -> frozenset[str]:
    """Equal for names that differ only in word order, number or small words."""
    words = (word for word in text.lower().split() if word not in _SMALL)
    return frozenset(lemma(lemma(word, "NOUN"), "VERB")[:STEM] for word in words)


_SMALL = DETERMINERS | PREPOSITIONS


def _best(group: int, options: Sequence[Sequence[_Option]], chosen: Sequence[int | None], found: Array) -> int | None:
    """None where all its options are like names of others."""
    others = [options[other][place] for other, place in enumerate(chosen) if other != group and place is not None]
    taken = {option.stems for option in others}
    own = options[group]
    value = np.array([option.score for option in own]) + found
    if others:
        alike = np.array([option.vector for option in own]) @ np.array([option.vector for option in others]).T
        value -= ALIKE * np.clip((alike.max(1) - 0.7) / 0.3, 0, 1)
    free = [place for place, option in enumerate(own) if option.stems not in taken]
    return max(free, key=lambda place: (round(float(value[place]), 6), -place), default=None)


def _found(group: int, chosen: Sequence[int | None], closeness: Sequence[Array | None], space: Texts) -> Array:
    """Of each option: texts of the group that would find it, less texts of others that it would draw away, by size."""
    own = closeness[group]
    assert own is not None
    rivals = np.full(len(space.group), -1.0, dtype=np.float32)
    theirs = np.full(len(space.group), -1.0, dtype=np.float32)
    for other, place in enumerate(chosen):
        column = closeness[other]
        if other == group or place is None or column is None:
            continue
        rivals = np.maximum(rivals, column[:, place])
        members = space.group == other
        theirs[members] = column[members, place]
    members = space.group == group
    gained = (own[members] > rivals[members, None]).sum(0)
    safe = ~members & (theirs >= rivals)
    lost = (own[safe] > theirs[safe, None]).sum(0)
    share: Array = (gained - lost) / max(1, int(members.sum()))
    return share
