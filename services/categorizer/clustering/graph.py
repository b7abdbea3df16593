"""The graph of nearest neighbours: what lies together on it belongs together even where straight lines deceive.

Edge weights: the fuzzy union of UMAP, McInnes, Healy and Melville (2018), section 3.1.
"""

import numpy as np
from scipy.sparse import csr_array, eye_array

from services.categorizer.clustering.sphere import Array, Labels, unit

_BISECTIONS = 30
_OWN = 0.5  # of a smoothed row is the row itself


def fuzzy_graph(indices: Labels, similarities: Array) -> csr_array:
    """Symmetric weights in 0..1, without loops, (n, n), of `nearest` neighbours (n, m), most similar first.

    The nearest neighbour counts 1, farther ones less, each row at its own scale; an edge is as strong as
    "either end says so".
    """
    n, m = indices.shape
    distance = np.sqrt(np.maximum(2 - 2 * similarities, 0))
    beyond = np.maximum(distance - distance[:, :1], 0)
    weights = np.exp(-beyond / _scales(beyond)).astype(np.float32)
    directed = csr_array((weights.ravel(), indices.ravel(), np.arange(0, n * m + 1, m)), shape=(n, n))
    both = directed.multiply(directed.T)
    return csr_array(directed + directed.T - both)


def _scales(beyond: Array) -> Array:
    """Of each row the scale at which its weights sum to log2(m + 1), by bisection: (n, 1)."""
    target = np.log2(beyond.shape[1] + 1)
    low = np.full((len(beyond), 1), 1e-6, np.float32)
    high = np.full((len(beyond), 1), 10, np.float32)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        over = np.exp(-beyond / middle).sum(axis=1, keepdims=True) > target
        high = np.where(over, middle, high)
        low = np.where(over, low, middle)
    return np.asarray((low + high) / 2, np.float32)


def transitions(graph: csr_array) -> csr_array:
    """Rows that sum to 1: a step from a row to itself or to a neighbour."""
    looped = csr_array(graph + eye_array(graph.shape[0], dtype=np.float32, format="csr"))
    degree = np.asarray(looped.sum(axis=1), dtype=np.float32).ravel()
    looped.data /= np.repeat(degree, np.diff(looped.indptr))
    return looped


def smooth(z: Array, graph: csr_array, steps: int) -> Array:
    """Unit rows (n, d), each drawn towards the mean of its neighbours, and half itself, `steps` times."""
    step = transitions(graph)
    smoothed = z
    for _ in range(steps):
        smoothed = unit(_OWN * z + (1 - _OWN) * unit(step @ smoothed))
    return smoothed
