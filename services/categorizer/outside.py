"""Which items are about something else than all given categories, as far as their company tells.

Two groups (Efron 2008, "Microarrays, empirical Bayes and the two-groups model"): how lonely an item is that is about
something else is shown by general requests of our own, laid among the items; how many of the items are as lonely as
most of these tells how far the border lies from them. So hardly anything falls out where nothing is out of scope.
"""

from dataclasses import dataclass

import numpy as np

from services.categorizer.clustering.neighbours import exact, nearest
from services.categorizer.clustering.reduce import axes, project
from services.categorizer.clustering.sphere import Array, Labels

EXACT = 30_000  # items up to which no neighbour is missed: each costs a little accuracy, and looks like loneliness

_COMPANY = 8  # nearest items that show how lonely an item is
_COMPONENTS = 48  # in which it is looked at as well: what is rarely said weighs less there
_SURE = 0.4  # weight of how sure the choice is, against loneliness
_BORDER = 0.53  # of the way from a general request to the usual item, where many items are out of scope
_NOTABLE = 0.015  # of the items as lonely as half of the general requests: from here on they are many
_FEW = 50  # items with which the border lies half as far
_CROWD = 500  # items; fewer do not show main directions: how well a category fits tells more


@dataclass(frozen=True, slots=True)
class Fit:
    """Of rows: their vectors (n, d), and how well the nearest category fits (n,)."""

    vectors: Array
    best: Array


def neighbours(x: Array, m: int, seed: int) -> tuple[Labels, Array]:
    """As `nearest`, but exact up to 30,000 rows."""
    return exact(x, m) if len(x) <= EXACT else nearest(x, m, seed)


def lonely(items: Fit, share: Array, general: Fit, seed: int) -> Labels:
    """Which items are nearer to what a request about anything else is like than to the usual item: bool (n,).

    `share` (n, categories) is how surely each item is of each category; `general` are the general requests.
    """
    n = len(items.vectors)
    m = min(_COMPANY, n // 10)
    if not m:
        return np.zeros(n, bool)
    near, likeness = _company(general.vectors, items.vectors, m)
    theirs = likeness + _SURE * share[near].mean(axis=1).max(axis=1)
    own = neighbours(items.vectors, m, seed)[1].mean(axis=1) + _SURE * share.max(axis=1)
    if n < _CROWD:
        own, theirs = own + items.best, theirs + general.best
        return np.asarray(own < _border(own, theirs))
    mean, directions = axes(items.vectors, _COMPONENTS)
    reduced = project(items.vectors, mean, directions)
    own += neighbours(reduced, m, seed)[1].mean(axis=1)
    theirs += _company(project(general.vectors, mean, directions), reduced, m)[1]
    return np.asarray(own < _border(own, theirs))


def _company(x: Array, items: Array, m: int) -> tuple[Labels, Array]:
    """The m items that are most similar to each row of x (k, d), (k, m), and their mean cosine, (k,)."""
    similarity = x @ items.T
    near = np.argpartition(-similarity, m - 1, axis=1)[:, :m]
    return near, np.take_along_axis(similarity, near, 1).mean(axis=1)


def _border(own: Array, general: Array) -> float:
    """Between the usual general request and the usual item: near the former where few items are like it."""
    start = float(np.median(general))
    many = min(1.0, float((own < start).mean()) / _NOTABLE)
    reach = _BORDER * many * len(own) / (len(own) + _FEW)
    return start + reach * (float(np.median(own)) - start)
