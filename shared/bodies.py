"""Bodies of runs as opaque bytes: zstd over JSON that holds what Python's JSON reader can read.

Lone surrogates, NaN, integers of any size and deep nesting come back equal, in either store.
"""

import json
from typing import Any

import zstandard

from shared.errors import ItemError

_LIMIT = 512 * 1024 * 1024


def pack(value: Any) -> bytes:
    return zstandard.compress(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii"), 3)


def unpack(body: bytes) -> Any:
    """Raises ItemError where the bytes are not what `pack` made."""
    try:
        return json.loads(zstandard.decompress(body, max_output_size=_LIMIT))
    except (zstandard.ZstdError, ValueError, RecursionError) as error:
        raise ItemError(f"A body of this trace is damaged ({error}): send the trace again.") from error
