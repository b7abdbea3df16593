"""Vectors of texts from an endpoint: in batches it takes, and checked when they come."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from shared.embedding import MAX_CHARACTERS
from shared.errors import AnswerError
from shared.features import Array
from shared.llm.reply import GarbledError, parsed, usage_of
from shared.llm.tokens import estimate_tokens
from shared.llm.usage import Usage
from shared.wording import clean

TEXTS = 256  # of a call
CHARACTERS = 200_000  # of a call
EMPTY = " "  # stands for a text of nothing, which OpenAI refuses


class _Vector(BaseModel):
    index: Annotated[int, Field(ge=0)]
    embedding: Annotated[list[float], Field(min_length=1)]


class _Vectors(BaseModel):
    data: list[_Vector]
    usage: object = None


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """In order; each text cut to MAX_CHARACTERS, which even in Chinese is no more tokens than any model takes."""
    batch: list[str] = []
    size = 0
    for text in texts:
        cut = clean(text[:MAX_CHARACTERS]) or EMPTY
        if batch and (len(batch) == TEXTS or size + len(cut) > CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(cut)
        size += len(cut)
    if batch:
        yield batch


def read_vectors(body: bytes, texts: Sequence[str]) -> tuple[Array, Usage]:
    """float32 (texts, d), unit rows in the order of the texts, whatever order they came in; zeros stay zeros.

    GarbledError: they are not as many as the texts, not all of one length, or not finite.
    """
    try:
        answer = _Vectors.model_validate(parsed(body))
    except ValidationError:
        raise GarbledError from None
    rows = sorted(answer.data, key=lambda row: row.index)
    if [row.index for row in rows] != list(range(len(texts))) or len({len(row.embedding) for row in rows}) != 1:
        raise GarbledError
    vectors = np.array([row.embedding for row in rows], np.float64)
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise GarbledError
    lengths[lengths == 0] = 1
    usage = usage_of(answer.usage) or Usage(sum(estimate_tokens(text) for text in texts), estimated=True)
    return (vectors / lengths).astype(np.float32), usage


def stacked(found: Sequence[Array]) -> Array:
    """All batches as one; (0, 0) of none."""
    if len({rows.shape[1] for rows in found}) > 1:
        raise AnswerError("The endpoint gave vectors of different lengths: choose one model of embeddings there.")
    return np.concatenate(found) if found else np.empty((0, 0), np.float32)
