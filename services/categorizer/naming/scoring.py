"""How well each candidate names its group: close to its texts, far from the others', said by many, and short.

All vectors are unit rows of one space, so products are cosines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.categorizer.naming.candidates import Candidate
from services.categorizer.naming.counts import Counts
from services.categorizer.naming.lexicon import lemma
from services.categorizer.naming.listed import domains
from services.categorizer.naming.phrases import Kind, Phrase
from services.categorizer.naming.words import PARTICLES, WEAK_VERBS
from services.categorizer.naming.writing import uncapitalised

Array = np.ndarray[Any, np.dtype[Any]]

LISTED = 25  # phrases of the fixed list that compete in a group
FAVOURITES = 12  # phrases of the fixed list that a text votes for
PRECISION = 0.5  # weights of the score, beside the cosine to the centroid with 1
NEIGHBOURS = 0.3
COVERAGE = 0.1
THIN = 0.2  # taken off where fewer than ENOUGH of the requests say it
ENOUGH = 0.2
LOOSE = 0.1  # taken off for "table with columns", "money in an account"
LONG = 0.03  # taken off for each word above five
WEAK = 0.08  # taken off for a verb such as "get", or with a preposition before its object: "change to a flight"
SURE, LIKELY = 0.5, 0.4  # cosine of a listed phrase to the centroid: enough alone; enough with one of its words said
CLEARLY, AHEAD = 0.37, 0.05  # cosine that is enough for a listed phrase that leads the others by this much
MEANT = 0.33  # cosine to the centroid, and
SPOKEN = 0.1  # share of the requests that have it or all its words: less, and a phrase claims what is not there,
SAME = 0.6  # unless its cosine is so high that others say it in other words
SAID = 0.05  # share of the requests that say the word


@dataclass(frozen=True, slots=True)
class Taste:
    """What names of a level should be like: leaves say what to do, categories what it is about."""

    act: float = 0.05
    bare: float = -0.35
    listed: float = -0.1
    unvoted: float = -0.15  # a listed phrase that few texts vote for
    voted: float = 0.45  # share of the texts that must have a listed phrase among their FAVOURITES
    wide: bool = False  # whether phrases that are whole domains compete
    margin: float = 0.06  # how far a listed phrase may be behind the closest one


LEAF = Taste()
CATEGORY = Taste(act=0.0, bare=-0.35, listed=0.15, voted=0.0, wide=True, margin=0.15)


@dataclass(frozen=True, slots=True)
class Texts:
    """The sample of texts that names are compared with."""

    vectors: Array  # (m, d)
    group: Array  # (m,) of each
    centres: Array  # (groups, d)
    listed: Sequence[str]
    listed_vectors: Array  # (listed, d)

    def votes(self, favourites: int = FAVOURITES) -> Array:
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


def rank(
    group: int, counts: Counts, own: Sequence[Candidate], vectors: Array, votes: Array, space: Texts, taste: Taste
) -> Ranked:
    """`own` are the group's phrases with their `vectors`; fitting phrases of the fixed list are added to them."""
    places = _fitting(group, counts, votes, space, taste)
    meant = [place for place, one in enumerate(own) if _is_true(one, vectors[place], space.centres[group])]
    own, vectors = [own[place] for place in meant], vectors[meant]
    offered = [*own, *(_listed(space.listed[place], float(votes[group, place])) for place in places)]
    rows = np.concatenate([vectors, space.listed_vectors[places]])
    near = rows @ space.centres.T
    to_own = near[:, group].copy()
    scores = to_own + PRECISION * _precision(group, rows, space) - NEIGHBOURS * _nearest(near, group)
    scores += np.array([_merit(candidate, taste) for candidate in offered], dtype=np.float32)
    order = sorted(range(len(offered)), key=lambda row: (-round(float(scores[row]), 6), offered[row].text))
    return Ranked([offered[row] for row in order], scores[order], rows[order])


def _is_true(candidate: Candidate, vector: Array, centre: Array) -> bool:
    closeness = float(vector @ centre)
    said = max(candidate.coverage, candidate.said)
    return closeness >= (MEANT if said >= SPOKEN else SAME)


def _fitting(group: int, counts: Counts, votes: Array, space: Texts, taste: Taste) -> list[int]:
    """Listed phrases with evidence: a wrong name is worse than a vague one."""
    if not len(space.listed_vectors):
        return []
    closeness = space.listed_vectors @ space.centres[group]
    best = [place for place in np.argsort(-closeness, kind="stable").tolist() if taste.wide or domains()[place]]
    best = best[:LISTED]
    best = [place for place in best if closeness[place] >= closeness[best[0]] - taste.margin]
    fitting = [
        place
        for place in best
        if votes[group, place] >= taste.voted
        and (closeness[place] >= SURE or (closeness[place] >= LIKELY and _is_said(space.listed[place], counts)))
    ]
    if not fitting and not _is_said(space.listed[best[0]], counts) and _leads(closeness):
        return best[:1]  # "Trivia questions" are not called so by those who ask them
    return fitting


def _leads(closeness: Array) -> bool:
    first, second = (float(one) for one in np.sort(closeness)[:-3:-1])
    return first >= max(CLEARLY, second + AHEAD)


def _is_said(text: str, counts: Counts) -> bool:
    return any(counts.word_share(lemma(word.lower(), "NOUN")) >= SAID for word in text.split())


def _listed(text: str, vote: float) -> Candidate:
    return Candidate(Phrase(Kind.LISTED, "", (), text.lower()), text, uncapitalised(text), vote, vote)


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
        merit += taste.listed + (taste.unvoted if candidate.coverage < 0.25 else 0)
    elif phrase.kind is Kind.ACT:
        verb, *after = phrase.verb.split()
        merit += taste.act - (WEAK if verb in WEAK_VERBS or (after and after[0] not in PARTICLES) else 0)
    elif phrase.bare:
        merit += taste.bare
    elif phrase.link not in ("", "of", "for"):
        merit -= LOOSE
    return float(merit)
