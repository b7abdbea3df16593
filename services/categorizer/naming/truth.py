"""Which texts a phrase is true of: a name that most of its texts do not ask for is worse than a vague one.

A text asks for a phrase that is about as close to it as the closest phrase there is; a phrase that merely shares its
topic is far behind one that says it. Measured on pairs of neighbouring intents of banking77 and clinc150, mixed half
and half, with the intents' labels as phrases: at APART .15 a label holds for 73 and 69 % of its own texts and for 26
and 18 % of its neighbour's. How close they are in themselves tells less, and other texts need other limits.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

APART = 0.15  # of cosine, that a phrase may be behind the closest one
LEAST = 0.2  # cosine, below which no phrase holds, and
OF_MEDIAN = 0.65  # of the median text's closeness to a general phrase: long texts are far from all of them
TRUE = 0.55  # share of the texts that a name must hold for
FAMILY = 0.6  # cosine of two phrases, one of which is so general that it holds where the other does


def floor(texts: Array, general: Array) -> float:
    """The cosine that a phrase needs at least to hold for one of `texts` (n, d); `general` phrases (g, d)."""
    if not len(general) or not len(texts):
        return LEAST
    return max(LEAST, OF_MEDIAN * float(np.median((texts @ general.T).max(1))))


def holds(texts: Array, phrases: Array, rivals: Array, least: float) -> Array:
    """(n, k): of each of `texts` (n, d) whether each of `phrases` (k, d) holds, beside `rivals` (r, d); unit rows."""
    closeness = texts @ phrases.T
    closest = np.maximum(closeness.max(1, initial=least), (texts @ rivals.T).max(1, initial=least))
    held: Array = closeness >= np.maximum(closest - APART, least)[:, None]
    return held


def holds_broadly(texts: Array, phrases: Array, rivals: Array, least: float) -> Array:
    """(n, k): whether each of general `phrases` is close to the phrase among `rivals` that is closest to a text."""
    if not len(rivals):
        return np.zeros((len(texts), len(phrases)), bool)
    closeness = texts @ rivals.T
    near = closeness.max(1) >= least
    held: Array = near[:, None] & ((rivals @ phrases.T) >= FAMILY)[closeness.argmax(1)]
    return held
