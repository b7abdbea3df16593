"""Near-duplicates count once: else ten runs of one task become a category of their own.

Leader clustering, Hartigan (1975), chapter 3, with the best leader instead of the first.
"""

import numpy as np

from services.categorizer.clustering.neighbours import EXACT, cells
from services.categorizer.clustering.sphere import Array, Labels

ALIKE = 0.97  # cosine from which two items say the same
_BLOCK = 512


def groups(x: Array, seed: int = 0) -> Labels:
    """A label for each unit row (n, d), the same where rows are nearly the same: (n,).

    Above 6,000 rows only rows of the same cell are compared, so a few duplicates stay apart.
    """
    if len(x) <= EXACT:
        return leaders(x)
    cell = cells(x, seed)
    order = np.argsort(cell, kind="stable")
    labels = np.empty(len(x), np.int64)
    found = 0
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        labels[rows] = leaders(x[rows]) + found
        found += len(rows)
    return _by_appearance(labels)


def _by_appearance(labels: Labels) -> Labels:
    """The same partition, numbered as its labels first appear: so the first groups are as mixed as the first rows."""
    first, place = np.unique(labels, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[place]


def leaders(x: Array) -> Labels:
    """Each row, in order, joins the most similar earlier leader if it is alike, else it leads: labels (n,)."""
    labels = np.full(len(x), -1, np.int64)
    leading = np.empty(0, np.int64)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        if len(leading):
            similarity = block @ x[leading].T
            best = similarity.argmax(axis=1)
            alike = similarity[np.arange(len(block)), best] >= ALIKE
            labels[start + np.flatnonzero(alike)] = best[alike]
        rest = np.flatnonzero(labels[start : start + len(block)] < 0)
        new = _leaders_among(block[rest] @ block[rest].T)
        chosen, place = np.unique(new, return_inverse=True)
        labels[start + rest] = len(leading) + place
        leading = np.concatenate([leading, start + rest[chosen]])
    return labels


def _leaders_among(similarity: Array) -> Labels:
    """For each of a few rows the row that leads it, itself where none before is alike."""
    leads = np.zeros(len(similarity), bool)
    leader = np.arange(len(similarity))
    for row in range(len(similarity)):
        earlier = np.where(leads[:row], similarity[row, :row], -1)
        if row and earlier.max() >= ALIKE:
            leader[row] = earlier.argmax()
        else:
            leads[row] = True
    return leader
