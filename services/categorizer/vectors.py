"""Vectors of the items' summaries by the job's own model of vectors: many a call, once all summaries are there."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.categorizer.sample import Sample
from shared.asking import TEXTS, Asker, Purpose
from shared.errors import AnswerError, BudgetError, JobError
from shared.features import Array, Features
from shared.questions import together

HOPELESS = 3  # texts refused alone, after which nobody expects another to be taken


async def with_vectors(sample: Sample, asker: Asker, purpose: Purpose, model: str) -> Sample:
    """The sample with them; as it was where the budget does not pay for all of them.

    An item whose summary the model refuses has none. JobError: it refuses all; and what `Asker.embed` raises.
    """
    parts = [sample.features[start : start + TEXTS] for start in range(0, len(sample), TEXTS)]
    maker = _Maker(asker, purpose, model)
    try:
        first = [await maker.packed(part) for part in parts[:1]]  # alone: a wrong model is found by few calls
        rest = await together(maker.packed(part) for part in parts[1:])
    except BudgetError:
        return sample
    return replace(sample, features=[one for part in (*first, *rest) for one in part])


class _Maker:
    def __init__(self, asker: Asker, purpose: Purpose, model: str) -> None:
        self._asker, self._purpose, self._model = asker, purpose, model
        self._answered = False
        self._refused = 0

    async def packed(self, part: Sequence[bytes]) -> list[bytes]:
        """These features with their vectors."""
        items = [Features.unpack(one) for one in part]
        rows = await self._rows([item.request for item in items])
        return await asyncio.to_thread(
            lambda: [
                replace(item, encoder=self._model, request_vector=row).pack()
                for item, row in zip(items, rows, strict=True)
            ]
        )

    async def _rows(self, texts: Sequence[str]) -> list[Array | None]:
        """In halves where they are refused together: an endpoint may take fewer at once, or not one of them."""
        try:
            rows = list(await self._asker.embed(self._purpose, texts, self._model))
        except AnswerError as error:
            if len(texts) > 1:
                half = len(texts) // 2
                return [*await self._rows(texts[:half]), *await self._rows(texts[half:])]
            self._refused += 1
            if self._refused >= HOPELESS and not self._answered:
                raise JobError(
                    f"{self._model} makes no vectors. {error} Choose another --embedding-model, or none for the local "
                    "one, and start again: what was answered is kept."
                ) from error
            return [None]
        self._answered = True
        return [*rows]
