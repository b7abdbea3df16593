"""What the engines need of an item once it is summarised: text, counts and vectors, bounded, with a version in front.

The summarizer makes them, the extractor and the categorizer read them, so that nobody reads a body twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import msgpack
import numpy as np
import zstandard

from shared.errors import ItemError

VERSION = b"f1"
Array = np.ndarray[Any, np.dtype[np.float32]]
_LIMIT = 1_000_000  # bytes; the bounds below keep an item's features under a tenth of it


@dataclass(frozen=True, slots=True)
class Features:
    """Of one item, from what its job's prompt chose.

    `request` is all that the user said, cleaned of what most items share. Vectors are unit rows of `encoder`
    (see `shared/embedding`); they are None where this process has no weights, `gist` also where nobody answered.
    """

    REQUEST: ClassVar = 2_000
    TOOLS: ClassVar = 200
    WORDS: ClassVar = 500

    request: str = ""  # at most REQUEST characters
    tools: tuple[str, ...] = ()  # names in order, repeats in a row once, at most TOOLS
    words: Mapping[str, int] = field(default_factory=dict)  # of what user and assistant said, at most WORDS
    length: int = 0  # characters that user and assistant said
    language: str | None = None  # ISO 639-1; None where there is too little text to tell
    encoder: str = ""  # which vectors these are, such as "minilm-fp32"
    request_vector: Array | None = None
    gist_vector: Array | None = None  # of first request and final answer

    def pack(self) -> bytes:
        fields = (
            self.request,
            self.tools,
            dict(self.words),
            self.length,
            self.language,
            self.encoder,
            _packed(self.request_vector),
            _packed(self.gist_vector),
        )
        packed: bytes = msgpack.packb(fields, unicode_errors="surrogatepass")
        return VERSION + zstandard.compress(packed, 3)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Raises ItemError where the bytes are not what `pack` of this version made."""
        if not packed.startswith(VERSION):
            raise ItemError(f"Features of version {packed[:2]!r} are not known: ask for the report again.")
        try:
            whole = zstandard.decompress(packed[len(VERSION) :], max_output_size=_LIMIT)
            request, tools, words, length, language, encoder, ours, gist = msgpack.unpackb(
                whole, unicode_errors="surrogatepass"
            )
        except (zstandard.ZstdError, ValueError) as error:
            raise ItemError(f"The features of this trace are damaged ({error}): ask for the report again.") from error
        return cls(request, tuple(tools), words, length, language, encoder, _unpacked(ours), _unpacked(gist))


def _packed(vector: Array | None) -> bytes | None:
    """Half precision: its error of a vector (4e-4) is below that of the model's own quantisation."""
    return None if vector is None else vector.astype("<f2").tobytes()


def _unpacked(packed: bytes | None) -> Array | None:
    if packed is None:
        return None
    vector = np.frombuffer(packed, "<f2").astype(np.float32)
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
