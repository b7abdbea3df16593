"""Vectors for tests without weights: a text is the words that it has, each in a direction of its own."""

import re
import zlib
from collections.abc import Sequence

import numpy as np

from shared.embedding.worker import Embedder
from shared.features import Array

DIMENSIONS = 2_048


def words_of(texts: Sequence[str]) -> Array:
    """Unit rows (n, DIMENSIONS); a text without words is zero."""
    rows = np.zeros((len(texts), DIMENSIONS), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in re.findall(r"\w+", text.lower()):
            row[zlib.crc32(word.encode("utf-8", "surrogatepass")) % DIMENSIONS] += 1
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


class WordEmbedder(Embedder):
    """As where weights are installed, only that the vectors are these."""

    def __init__(self) -> None:
        super().__init__("none")

    async def name(self) -> str:
        return "words"

    async def encode(self, texts: Sequence[str]) -> Array | None:
        return words_of(texts)
