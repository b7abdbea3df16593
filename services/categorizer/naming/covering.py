"""Names of categories: one phrase that holds for most of its leaves, else two joined, else what is true of a part."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from services.categorizer.naming.candidates import Candidate
from services.categorizer.naming.choosing import stems
from services.categorizer.naming.counts import Counts
from services.categorizer.naming.fallback import VAGUE
from services.categorizer.naming.phrases import Kind
from services.categorizer.naming.scoring import Ranked
from services.categorizer.naming.writing import uncapitalised

Array = np.ndarray[Any, np.dtype[Any]]

TRIED = 12  # best candidates of a category
VOTED = 0.38  # share of a leaf's texts that vote for a listed phrase, and
SAID = 0.12  # share of its requests with all words of another, for it to hold there
WHOLE = 0.65  # share of the items whose leaf it holds for: enough alone
MOST = 0.75  # enough for two together
HOLDS = 0.5  # weight of that share beside the score
LEAST = 0.3  # enough for two to be named beside "other requests"
PART = 0.4  # enough to be named beside "other requests"
ALIKE = 0.75  # cosine above which two phrases say the same


@dataclass(frozen=True, slots=True)
class Member:
    """A leaf of the category."""

    share: float  # of the category's items
    counts: Counts
    votes: Array  # (listed,)


@dataclass(frozen=True, slots=True)
class _Option:
    text: str
    score: float
    vector: Array
    holds: frozenset[int]  # members


def covering_name(
    ranked: Ranked, members: Sequence[Member], listed: dict[str, int], domain: str | None, taken: Sequence[str]
) -> str | None:
    """None where nothing holds for a good part of the items.

    `listed`: the place of each phrase of the fixed list; `domain`: what most texts are about, in general; `taken`:
    names of other categories.
    """
    forbidden = {stems(name) for name in taken}
    options = [one for one in _options(ranked, members, listed) if stems(one.text) not in forbidden]
    alone = [option for option in options if _share(option.holds, members) >= WHOLE]
    if alone:
        return max(alone, key=lambda option: option.score + HOLDS * _share(option.holds, members)).text
    pair = _pair(options, members)
    together = _share(pair[0].holds | pair[1].holds, members) if pair else 0
    part = max(options, key=lambda option: (_share(option.holds, members), option.score), default=None)
    if pair and together >= MOST:
        return joined(pair[0].text, pair[1].text)
    if part is not None and _share(part.holds, members) >= PART:
        return and_others(part.text)
    if domain is not None and stems(domain) not in forbidden:
        return domain
    return f"{pair[0].text}, {uncapitalised(pair[1].text)} and other requests" if pair and together >= LEAST else None


def _share(holds: frozenset[int], members: Sequence[Member]) -> float:
    return sum(members[place].share for place in sorted(holds))


def _pair(options: Sequence[_Option], members: Sequence[Member]) -> tuple[_Option, _Option] | None:
    """The two that hold for most items, the one that holds for more first."""
    pairs = [pair for pair in combinations(options, 2) if _may_join(*pair)]
    if not pairs:
        return None
    first, second = max(
        pairs, key=lambda pair: (_share(pair[0].holds | pair[1].holds, members), pair[0].score + pair[1].score)
    )
    return (second, first) if _share(second.holds, members) > _share(first.holds, members) else (first, second)


def and_others(name: str) -> str | None:
    """The name with "and other requests"; None for one that is vague itself."""
    if name.startswith(VAGUE):
        return None
    return f"{name.removesuffix(' requests')} and other requests"


def _options(ranked: Ranked, members: Sequence[Member], listed: dict[str, int]) -> list[_Option]:
    rows = list(zip(ranked.candidates, ranked.scores.tolist(), ranked.vectors, strict=True))
    return [
        _Option(
            one.text, score, vector, frozenset(p for p, member in enumerate(members) if _holds(one, member, listed))
        )
        for one, score, vector in rows[:TRIED]
    ]


def _holds(candidate: Candidate, member: Member, listed: dict[str, int]) -> bool:
    if candidate.phrase.kind is Kind.LISTED:
        return float(member.votes[listed[candidate.text]]) >= VOTED
    return member.counts.said(candidate.phrase) >= SAID


def _may_join(first: _Option, second: _Option) -> bool:
    if first.holds <= second.holds or second.holds <= first.holds:
        return False
    return float(first.vector @ second.vector) < ALIKE and not stems(first.text) <= stems(second.text)


def joined(first: str, second: str) -> str:
    """ "Order returns" + "order changes" -> "Order returns and changes"."""
    one, two = first.split(" "), second.split(" ")
    if len(one) == len(two) == 2:
        if one[0].lower() == two[0].lower():
            return f"{first} and {two[1]}"
        if one[1] == two[1]:
            return f"{one[0]} and {uncapitalised(second)}"
    return f"{first} and {uncapitalised(second)}"
