"""Does a group differ clearly from the rest? Beyond chance, and by enough to matter.

Beyond chance: Fisher's exact test for shares and Mann-Whitney's for numbers, both two-sided, and corrected after
Bonferroni for all that is compared at one level, so that a report of alike groups says something false in one of
twenty cases at most. Enough: Cohen's h of two shares, or what Cohen's d would be of two normal distributions as far
apart in rank, is at least 0.3 (between his "small", 0.2, and "medium", 0.5); and medians or means differ by a tenth, so
that a reader sees it, too.

Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapters 2 and 6.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeVar

import numpy as np

from services.aggregator.columns import Array, Column, Group

ENOUGH = 5  # known values that a group and its rest need before they are compared
SURE = 0.05
MUCH = 0.3
VISIBLE = 0.1
Key = TypeVar("Key")
Kind = Literal["share", "median", "mean"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """One figure of a group beside that of the rest.

    `value` is that of a categorical attribute. `effect` is positive where the group has more.
    """

    of: str  # "facts" or "attributes"
    name: str
    value: str | None
    kind: Kind  # what `here` and `rest` are
    here: float
    rest: float
    effect: float
    chance: float

    @property
    def matters(self) -> bool:
        """Whether it is enough, be it chance or not."""
        visible = self.kind == "share" or abs(self.here - self.rest) >= VISIBLE * max(abs(self.here), abs(self.rest))
        return visible and abs(self.effect) >= MUCH


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of how many, in a group and in the rest."""

    some: int
    n: int
    rest_some: int
    rest_n: int

    @property
    def comparable(self) -> bool:
        return min(self.n, self.rest_n) >= ENOUGH

    @property
    def effect(self) -> float:
        """Cohen's h."""
        here, rest = self.some / self.n, self.rest_some / self.rest_n
        return 2 * (math.asin(math.sqrt(here)) - math.asin(math.sqrt(rest)))

    @property
    def chance(self) -> float:
        """How likely shares so far apart would be if the group were drawn from all at random."""
        from scipy.stats import fisher_exact

        table = [[self.some, self.n - self.some], [self.rest_some, self.rest_n - self.rest_some]]
        side = "greater" if self.effect > 0 else "less"
        return min(1.0, 2 * float(fisher_exact(table, alternative=side).pvalue))


def of_shares(of: str, name: str, shares: Shares, value: str | None = None) -> Iterable[Contrast]:
    """One contrast, or none where too little is known."""
    if shares.comparable:
        here, rest = shares.some / shares.n, shares.rest_some / shares.rest_n
        yield Contrast(of, name, value, "share", here, rest, shares.effect, shares.chance)


def of_numbers(of: str, name: str, column: Column, group: Group, rest: Group) -> Iterable[Contrast]:
    """One contrast, or none where too little is known. Together, group and rest are all items.

    Where most values are 0, as with tool errors, it is about the share of those above 0.
    """
    ours, others = column.of(group), column.of(rest)
    if column.middle == 0:
        positive = Shares(int((ours > 0).sum()), len(ours), int((others > 0).sum()), len(others))
        yield from of_shares(of, name, positive)
    elif min(len(ours), len(others)) >= ENOUGH:
        effect, chance = _rank_test(float(column.ranks(group).sum()), len(ours), len(others), column.ties)
        yield Contrast(of, name, None, *_centres(ours, others), effect, chance)


def _rank_test(ranks: float, n: int, rest: int, ties: float) -> tuple[float, float]:
    """Effect (d) and chance from the sum of a group's ranks: the normal approximation of Mann and Whitney's U."""
    pairs = n * rest
    above = (ranks - n * (n + 1) / 2) / pairs  # of all pairs, those in which the group's value is the greater
    deviation = math.sqrt(ties * (n + rest + 1) / (12 * pairs))
    if not deviation:
        return 0.0, 1.0  # all values are equal
    within = min(max(above, 0.5 / pairs), 1 - 0.5 / pairs)
    return math.sqrt(2) * NormalDist().inv_cdf(within), math.erfc(abs(above - 0.5) / deviation / math.sqrt(2))


def _centres(ours: Array, others: Array) -> tuple[Kind, float, float]:
    """The medians, or the means where the medians are the same to a reader."""
    here, rest = float(np.median(ours)), float(np.median(others))
    if f"{here:.2g}" != f"{rest:.2g}":
        return "median", here, rest
    return "mean", float(ours.mean()), float(others.mean())  # of ascending values: the same in any order of arrival


def clear(contrasts: Mapping[Key, Iterable[Contrast]]) -> dict[Key, list[Contrast]]:
    """By group, the contrasts that are told, the greatest first; of a name's values that alone.

    Give all groups of one level together, since each comparison is one more chance to be wrong.
    """
    kept = {key: list(found) for key, found in contrasts.items()}
    compared = sum(map(len, kept.values()))
    return {key: _told([one for one in found if one.chance * compared < SURE]) for key, found in kept.items()}


def _told(sure: Iterable[Contrast]) -> list[Contrast]:
    ranked = sorted(sure, key=lambda one: (-abs(one.effect), one.of, one.name, one.value or ""))
    greatest: dict[tuple[str, str], Contrast] = {}
    for one in ranked:
        if one.matters:
            greatest.setdefault((one.of, one.name), one)
    return list(greatest.values())
