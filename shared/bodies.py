"""Bodies of runs as opaque bytes: JSON that Python reads, under zstd where it is long enough to gain by it.

Lone surrogates, NaN, integers of any size and deep nesting come back equal, in either store.
"""

import json
import threading
from typing import Any

import zstandard

from shared.errors import ItemError

_LIMIT = 512 * 1024 * 1024
_FRAME = b"\x28\xb5\x2f\xfd"  # how zstd begins, and no JSON does
_SHORT = 256  # bytes: less gains nothing
_UNREAD = object()
_local = threading.local()


def pack(value: Any) -> bytes:
    return pack_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii"))


def pack_text(text: bytes) -> bytes:
    """The same of JSON in UTF-8 that `shared.traces.parsing.parse` has read: it is kept as it came."""
    if len(text) < _SHORT:
        return text
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(
            level=3
        )  # costs more than a short body, and is not for two threads
    packed: bytes = _local.compressor.compress(text)
    return packed


def unpack(body: bytes) -> Any:
    """Raises ItemError where the bytes are not what `pack` made."""
    try:
        return loads(zstandard.decompress(body, max_output_size=_LIMIT) if body.startswith(_FRAME) else body)
    except (zstandard.ZstdError, ValueError, RecursionError) as error:
        raise ItemError(f"A body of this trace is damaged ({error}): send the trace again.") from error


def loads(text: bytes | str) -> Any:
    """Python's JSON, but that an integer of more digits than Python reads is infinite. Raises ValueError."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        return json.loads(text, parse_int=float)


class Body:
    """One part of a run on its way to the store: its value, its JSON, or what is stored; made when it is asked for."""

    __slots__ = ("_packed", "_text", "_value")

    def __init__(self, value: Any = _UNREAD, *, text: bytes | None = None, packed: bytes | None = None) -> None:
        self._value, self._text, self._packed = value, text, packed

    @property
    def value(self) -> Any:
        if self._value is _UNREAD:
            self._value = unpack(self._packed or b"")
        return self._value

    @property
    def packed(self) -> bytes:
        if self._packed is None:
            self._packed = pack(self._value) if self._text is None else pack_text(self._text)
        return self._packed
