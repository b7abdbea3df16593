"""The attributes of a job as questions that texts can answer: made once a process, with the vectors that they need."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from services.attribute_extractor import choices
from services.attribute_extractor.booleans import Boolean
from services.attribute_extractor.choices import Choice
from services.attribute_extractor.numbers import Number
from services.attribute_extractor.reading import Piece
from services.attribute_extractor.statements import claim
from shared.embedding.worker import Embedder
from shared.features import Array
from shared.general import general_requests
from shared.job_config import AttributeSchema

KEPT = 32  # jobs
Schemas = Mapping[str, AttributeSchema]


class Question(Protocol):
    def judge(self, said: Sequence[Piece], vectors: Array) -> bool | str | float | None:
        """The value that the pieces state; null where they state none, or several. `vectors` are their unit rows."""


class Questions:
    """Of the last jobs that this process worked on."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, Question | None]] = OrderedDict()

    async def of(self, schemas: Schemas, embedder: Embedder) -> dict[str, Question | None]:
        """Attribute name → question; None where nothing here can answer it: open strings, and all without weights
        but numbers."""
        key = repr([await embedder.name(), *schemas.items()])
        if key not in self._known:
            self._known[key] = {name: await _question(name, schema, embedder) for name, schema in schemas.items()}
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


async def _question(name: str, schema: AttributeSchema, embedder: Embedder) -> Question | None:
    if schema.type == "number":
        return Number.of(name, schema.description)
    if schema.type == "boolean":
        return await _boolean(name, schema, embedder)
    values = choices.told(schema.enum or ())
    vectors = await embedder.encode(choices.texts(name, values)) if values else None
    return None if vectors is None else Choice(values, vectors)


async def _boolean(name: str, schema: AttributeSchema, embedder: Embedder) -> Boolean | None:
    stated = claim(name, schema.description)
    statements, denials = zip(*stated.pairs, strict=True)
    vectors = await embedder.encode([*statements, *denials, *general_requests()])
    if vectors is None:
        return None
    n = len(statements)
    return Boolean.of(stated, vectors[:n], vectors[n : 2 * n], vectors[2 * n :])
