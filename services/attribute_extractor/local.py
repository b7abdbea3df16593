"""Attributes without a model: what is clearly stated; all else is null, and the report says how much."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.attribute_extractor.extracted import Extracted
from services.attribute_extractor.questions import Question, Questions
from services.attribute_extractor.reading import Piece, pieces
from shared.asking import Asker
from shared.content import turns
from shared.context import Loaded, load
from shared.embedding.worker import Embedder
from shared.features import Array
from shared.frozen import FrozenJob
from shared.models import Item
from shared.prompts import Prompt, values_only
from shared.store import Store

_NO_VECTORS = np.empty((0, 0), np.float32)
_questions = Questions()


async def extract(store: Store, embedder: Embedder, asker: Asker, frozen: FrozenJob, item: Item) -> Extracted:
    """Every attribute of the job. A filter attribute leaves no item out, for it is not known surely enough.

    Raises ItemError where a body is damaged.
    """
    schemas = frozen.job.config.attribute_schemas
    asked = await _questions.of(schemas, embedder)
    if not any(asked.values()):
        return Extracted(dict.fromkeys(schemas))
    loaded = (await load(store, [item], frozen.prompt))[0]
    said = await asyncio.to_thread(_said, loaded, frozen.prompt)
    vectors = await embedder.encode([piece.text for piece in said]) if said else None
    return Extracted(decide(asked, said, _NO_VECTORS if vectors is None else vectors))


def decide(asked: Mapping[str, Question | None], said: Sequence[Piece], vectors: Array) -> dict[str, Any]:
    """Attribute name → value or None, from the pieces and their unit rows (n, d)."""
    return {name: None if question is None else question.judge(said, vectors) for name, question in asked.items()}


def _said(loaded: Loaded, prompt: Prompt) -> list[Piece]:
    return pieces(turns(values_only(prompt.render(loaded.context()))))
