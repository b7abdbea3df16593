"""Nearest neighbours by cosine: exact for few rows, within cells of similar rows for many.

Cells: the inverted file of Sivic and Zisserman (2003), as in Jégou, Douze and Schmid (2011), without compression.
"""

import numpy as np

from services.categorizer.clustering.sphere import Array, Labels, assign, centroids, compact, lloyd

EXACT = 6_000  # rows up to which every pair is looked at
_CELL = 256  # rows in a cell, on average
_PROBES = 8  # cells that a row looks into: the nearest ones
_PER_CELL = 20  # rows of the sample that places a cell
_ROUNDS = 6
_BLOCK = 512


def nearest(x: Array, m: int, seed: int = 0) -> tuple[Labels, Array]:
    """The m most similar other rows of each unit row (n, d), best first: indices and cosines, both (n, m).

    Needs n > m. Up to 6,000 rows exact, above that approximate (over nine in ten are found).
    """
    if len(x) <= max(EXACT, 8 * m):
        return exact(x, m)
    return approximate(x, m, seed)


def exact(x: Array, m: int) -> tuple[Labels, Array]:
    """As `nearest`, by looking at every pair."""
    indices = np.empty((len(x), m), np.int64)
    similarities = np.empty((len(x), m), np.float32)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK] @ x.T
        rows = np.arange(len(block))
        block[rows, start + rows] = -np.inf
        indices[start : start + _BLOCK], similarities[start : start + _BLOCK] = _best(block, m)
    return indices, similarities


def _best(similarity: Array, m: int) -> tuple[Labels, Array]:
    """The m largest of each row, largest first, the earlier column first of equals."""
    columns = np.argpartition(similarity, -m, axis=1)[:, -m:]
    columns.sort(axis=1)
    values = np.take_along_axis(similarity, columns, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, 1), np.take_along_axis(values, order, 1)


def cells(x: Array, seed: int) -> Labels:
    """A partition of the rows into groups of similar ones, of about 256: (n,)."""
    rng = np.random.default_rng(seed)
    count = max(1, len(x) // _CELL)
    sample = np.sort(rng.choice(len(x), min(len(x), count * _PER_CELL), replace=False))
    start = x[np.sort(rng.choice(sample, count, replace=False))]
    centres = lloyd(x[sample], start, _ROUNDS)[1]
    return assign(x, centres)[0]


def approximate(x: Array, m: int, seed: int) -> tuple[Labels, Array]:
    """As `nearest`, by looking at the rows of the nearest cells only."""
    cell = compact(cells(x, seed))
    count = int(cell.max()) + 1
    order = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[order], np.arange(count + 1))
    centres = centroids(x, cell, count)
    probes = _probes(centres, np.diff(bounds), m)
    sorted_rows = x[order]
    indices = np.empty((len(x), m), np.int64)
    similarities = np.empty((len(x), m), np.float32)
    for at in range(count):
        seen = np.concatenate([np.arange(bounds[other], bounds[other + 1]) for other in probes[at]])
        candidates = sorted_rows[seen].T
        for start in range(bounds[at], bounds[at + 1], _BLOCK):
            end = min(start + _BLOCK, int(bounds[at + 1]))
            block = sorted_rows[start:end] @ candidates
            block[np.arange(end - start), np.arange(start, end) - bounds[at]] = -np.inf  # own cell comes first
            columns, values = _best(block, m)
            indices[order[start:end]] = order[seen[columns]]
            similarities[order[start:end]] = values
    return indices, similarities


def _probes(centres: Array, sizes: Labels, m: int) -> list[Labels]:
    """For each cell the cells to look into: itself, then the most similar ones, with more than m rows in all."""
    found = []
    for start in range(0, len(centres), _BLOCK):
        similarity = centres[start : start + _BLOCK] @ centres.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = np.inf
        ranked = np.argsort(-similarity, axis=1, kind="stable")
        for row in ranked:
            enough = int(np.searchsorted(np.cumsum(sizes[row]), m + 1)) + 1
            found.append(row[: max(_PROBES, enough)])
    return found
