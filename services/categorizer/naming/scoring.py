"""How well each candidate names its group: close to its texts, far from the others', said by many, and short.

All vectors are unit rows of one space, so products are cosines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.categorizer.naming.candidates import Candidate
from services.categorizer.naming.counts import Counts
from services.categorizer.naming.lexicon import roots
from services.categorizer.naming.listed import domains
from services.categorizer.naming.phrases import Kind, Phrase
from services.categorizer.naming.truth import TRUE, holds, holds_broadly
from services.categorizer.naming.words import PARTICLES, WEAK_VERBS
from services.categorizer.naming.writing import uncapitalised

_BROAD = frozenset({"requests", "questions", "problems", "tasks", "and", "of", "the", "or"})
Array = np.ndarray[Any, np.dtype[Any]]

LISTED = 25  # phrases of the fixed list that compete in a group
PRECISION = 0.5  # weights of the score, beside the cosine to the centroid with 1
NEIGHBOURS = 0.3
COVERAGE = 0.1
SMALL = 10  # texts
FEWEST = 2  # texts that a phrase of the fixed list must hold for: nobody said it
SURE = 0.5  # cosine to the centre of a listed phrase of which nobody says a word
SUBJECT, SAID = 0.5, 0.1  # share of the requests that say one word of a listed phrase, and must say the others
THIN = 0.2  # taken off where fewer than ENOUGH of the requests say it
ENOUGH = 0.2
LOOSE = 0.1  # taken off for "table with columns", "money in an account"
LONG = 0.03  # taken off for each word above five
WEAK = 0.08  # taken off for a verb such as "get", or with a preposition before its object: "change to a flight"


@dataclass(frozen=True, slots=True)
class Taste:
    """What names of a level should be like: leaves say what to do, categories what it is about."""

    act: float = 0.05
    bare: float = -0.35
    listed: float = -0.1
    wide: bool = False  # whether phrases that are whole domains compete


LEAF = Taste()
CATEGORY = Taste(act=-0.4, bare=-0.1, listed=0.15, wide=True)


@dataclass(frozen=True, slots=True)
class Texts:
    """The sample of texts that names are compared with."""

    vectors: Array  # (m, d)
    group: Array  # (m,) of each
    weight: Array  # (m,) items that each stands for
    readable: Array  # (m,) whether it is in the language of the vectors
    centres: Array  # (groups, d)
    listed: Sequence[str]
    listed_vectors: Array  # (listed, d)
    floor: float  # see `truth.floor`

    def votes(self, favourites: int) -> Array:
        """(groups, listed): share of a group's texts that have the phrase among their favourites.

        Half of a phrase's mean closeness to all texts is taken off, so that a phrase close to everything wins little.
        """
        if not len(self.listed_vectors):
            return np.zeros((len(self.centres), 0), np.float32)
        likeness = self.vectors @ self.listed_vectors.T
        likeness -= 0.5 * likeness.mean(0)
        count = min(favourites, likeness.shape[1])
        least = np.partition(likeness, -count, axis=1)[:, -count, None]
        favourite = (likeness >= least).astype(np.float32)
        shares = np.zeros((len(self.centres), likeness.shape[1]), np.float32)
        for group in np.unique(self.group).tolist():
            shares[group] = favourite[self.group == group].mean(0)
        return shares


@dataclass(frozen=True, slots=True)
class Ranked:
    """A group's candidates, best first."""

    candidates: list[Candidate]
    scores: Array  # (candidates,)
    vectors: Array  # (candidates, d)
    held: Array  # (texts of the group, candidates): whether a candidate holds for a text
    weight: Array  # (texts of the group,), sum 1

    def share(self, *places: int) -> float:
        """Of the group's items for which one of these candidates holds."""
        return float(self.weight @ self.held[:, list(places)].any(1))

    def support(self, place: int) -> float:
        """Share of the items for which it holds, or of the requests that say it in its own words."""
        return max(self.share(place), self.candidates[place].spoken)

    def is_true(self, place: int) -> bool:
        """Whether it may be the group's name alone; of few texts it must hold for more of them."""
        bare, texts = self.candidates[place].phrase.bare, len(self.weight)
        support = self.share(place) if bare else self.support(place)  # a lone noun can stand in anything
        spare = 0.5 / texts if texts < SMALL else 0.0
        return support - spare >= TRUE


def rank(group: int, counts: Counts, own: Sequence[Candidate], vectors: Array, space: Texts, taste: Taste) -> Ranked:
    """`own` are the group's phrases with their `vectors`; the closest phrases of the fixed list are added to them."""
    places = _evident(group, counts, space, taste)
    members = space.group == group
    rows = np.concatenate([vectors, space.listed_vectors[places]])
    held = holds(space.vectors[members], rows, space.listed_vectors, space.floor)
    if taste.wide:
        wide = len(own) + np.flatnonzero([not domains()[place] for place in places])
        held[:, wide] |= holds_broadly(space.vectors[members], rows[wide], space.listed_vectors, space.floor)
    held &= space.readable[members, None]
    held[:, len(own) :] &= held[:, len(own) :].sum(0) >= FEWEST
    weight = space.weight[members] / max(1.0, float(space.weight[members].sum()))
    shares = weight @ held
    listed = zip(places, shares[len(own) :].tolist(), strict=True)
    offered = [*own, *(_listed(space.listed[place], share) for place, share in listed)]
    near = rows @ space.centres.T
    scores = near[:, group] + PRECISION * _precision(group, rows, space) - NEIGHBOURS * _nearest(near, group)
    scores += np.array([_merit(candidate, taste) for candidate in offered], dtype=np.float32)
    order = sorted(range(len(offered)), key=lambda row: (-round(float(scores[row]), 6), offered[row].text))
    return Ranked([offered[row] for row in order], scores[order], rows[order], held[:, order], weight)


def _evident(group: int, counts: Counts, space: Texts, taste: Taste) -> list[int]:
    """Of the LISTED phrases of the fixed list that are closest to the group's centre those that may be true."""
    if not len(space.listed_vectors):
        return []
    closeness = space.listed_vectors @ space.centres[group]
    order = [place for place in np.argsort(-closeness, kind="stable").tolist() if taste.wide or domains()[place]]
    return [place for place in order[:LISTED] if _is_said(space.listed[place], counts, float(closeness[place]))]


def _is_said(text: str, counts: Counts, closeness: float) -> bool:
    """Nothing is "Card activation" where nearly everybody says card and nearly nobody speaks of activating it.

    A phrase of which nobody says a word must be very close: "Greetings".
    """
    words = [word for word in text.lower().split() if word not in _BROAD]
    shares = [max(counts.word_share(root) for root in roots(word)) for word in words] or [0.0]
    if max(shares) < SAID:
        return closeness >= SURE
    return max(shares) < SUBJECT or min(shares) >= SAID


def _listed(text: str, share: float) -> Candidate:
    return Candidate(Phrase(Kind.LISTED, "", (), text.lower()), text, uncapitalised(text), share, share)


def _precision(group: int, rows: Array, space: Texts) -> Array:
    """Share of the group's own among as many nearest texts as it has."""
    size = int(min(max((space.group == group).sum(), 1), max(len(space.group) - 1, 1)))
    closeness = rows @ space.vectors.T
    nearest = np.argpartition(-closeness, size - 1, axis=1)[:, :size]
    share: Array = (space.group[nearest] == group).mean(1)
    return share


def _nearest(near: Array, group: int) -> Array:
    """Mean cosine to the three other groups that are nearest to the phrase."""
    others = np.delete(near, group, axis=1)
    if not others.shape[1]:
        return np.zeros(len(near))
    mean: Array = np.sort(others, axis=1)[:, -3:].mean(1)
    return mean


def _merit(candidate: Candidate, taste: Taste) -> float:
    """What does not depend on vectors."""
    phrase = candidate.phrase
    merit = COVERAGE * max(candidate.coverage, 0.6 * candidate.said) ** 0.5 - LONG * max(
        0, len(candidate.text.split()) - 5
    )
    merit -= THIN * (1 - min(1.0, max(candidate.coverage, candidate.said) / ENOUGH))
    if phrase.kind is Kind.LISTED:
        merit += taste.listed
    elif phrase.kind is Kind.ACT:
        verb, *after = phrase.verb.split()
        merit -= LOOSE if phrase.link in ("for", "with", "in") else 0
        merit += taste.act - (WEAK if verb in WEAK_VERBS or (after and after[0] not in PARTICLES) else 0)
    elif phrase.bare:
        merit += taste.bare
    elif phrase.link not in ("", "of", "for"):
        merit -= LOOSE
    return float(merit)
