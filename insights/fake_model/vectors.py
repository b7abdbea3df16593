"""Embeddings: the words of a text hashed into a unit vector, so that texts with common words are near."""

import base64
from typing import Any

import numpy as np

from insights.fake_model import tokens
from insights.fake_model.errors import bad_request
from insights.fake_model.faults import fraction
from insights.fake_model.words import content_words, stem, words

DIMENSIONS = 256
MOST_INPUTS = 2_048  # OpenAI's own limit
_MOST_DIMENSIONS = 8_192


def vector(text: str, dimensions: int = DIMENSIONS) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Float32, length 1: the mean direction of its words' stems, each one a random direction of its own."""
    total = np.zeros(dimensions)
    for word in sorted({stem(word) for word in content_words(text)} or {*words(text)} or {text}):
        seed = int(fraction("word", word) * 2**53)
        total += np.random.default_rng(seed).standard_normal(dimensions)
    return (total / np.linalg.norm(total)).astype(np.float32)


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to POST /embeddings. ApiError for what OpenAI refuses."""
    texts = texts_of(body)
    dimensions = body.get("dimensions", DIMENSIONS)
    if not isinstance(dimensions, int) or not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise bad_request(f"dimensions must be from 1 to {_MOST_DIMENSIONS}.", "dimensions")
    rows = [vector(text, dimensions) for text in texts]
    encoded = body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": place,
            "embedding": base64.b64encode(row.tobytes()).decode() if encoded else row.tolist(),
        }
        for place, row in enumerate(rows)
    ]
    used = sum(tokens.count(text) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "model": body.get("model"), "data": data, "usage": usage}


def texts_of(body: dict[str, Any]) -> list[str]:
    """`input`, a text or a list of them. Tokens are not taken, since a stand-in can't read them."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise bad_request("input must be a text or a list of texts, none of them empty.", "input")
    if not 1 <= len(texts) <= MOST_INPUTS:
        raise bad_request(f"input must have 1 to {MOST_INPUTS} texts.", "input")
    return texts
