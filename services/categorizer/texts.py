"""Texts as vectors of their words, where there is no encoder: worse, but of nothing that is not in the texts.

scikit-learn is imported where it is used: with an encoder nothing of it is, and it takes 40 MB.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack

from services.categorizer.clustering.latent import directions
from services.categorizer.clustering.sphere import Array, unit

DIMENSIONS = 256
LONGEST = 2_000  # characters of a text that are looked at
_WORDS, _PIECES = 50_000, 100_000  # different ones that count
_FITTED = 50_000  # texts that show which words go together


class TextSpace:
    """TF-IDF of words and pairs of words, and of pieces of 3 to 5 letters, in the 256 main directions of the texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`vectors` are unit rows (n, d) of these texts; one without words is a row of zeros."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._kinds = [
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=_WORDS, dtype=np.float32),
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=_PIECES, dtype=np.float32
            ),
        ]
        cut = [text[:LONGEST] for text in texts]
        try:
            for kind in self._kinds:
                kind.fit(cut)
        except ValueError:  # scikit-learn's word for texts without any word
            self._kinds = []
        weighted = self._weighted(cut)
        shown = weighted[:_FITTED]
        self._directions = directions(shown, min(DIMENSIONS, *shown.shape))
        self.vectors = self._placed(weighted)

    def embed(self, texts: Sequence[str]) -> Array:
        """Unit rows (n, d) of other texts; zeros where they share nothing with those that the space is of.

        Without stop words: a row has length 1 even where an "and" is all that a text shares.
        """
        return self._placed(self._weighted([_telling(text[:LONGEST]) for text in texts]))

    def _weighted(self, texts: Sequence[str]) -> csr_matrix:
        if not self._kinds:
            return csr_matrix((len(texts), 1), dtype=np.float32)
        return csr_matrix(hstack([kind.transform(texts) for kind in self._kinds]))

    def _placed(self, weighted: csr_matrix) -> Array:
        return unit(np.asarray(weighted @ self._directions, np.float32))


def _telling(text: str) -> str:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return " ".join(word for word in text.split() if word.lower() not in ENGLISH_STOP_WORDS)
