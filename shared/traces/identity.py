"""Ids of runs. The store and LangSmith's clients know UUIDs; what is none becomes one, always the same."""

import hashlib
import json
import math
import re
from typing import Any
from uuid import UUID, uuid5

from shared.wording import clean

NAMESPACE = UUID("6f1d3b0e-8a52-5c0f-9d7e-2b7c4a1e9f30")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def run_id(value: object) -> tuple[str, str | None] | None:
    """The UUID, and the source's own id where that is none; None where there is no id."""
    text = _text(value)
    if not text:
        return None
    if _UUID.fullmatch(text):
        return text.lower(), None
    return str(uuid5(NAMESPACE, text.encode("utf-8", "backslashreplace").decode())), clean(text)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        return str(value) if math.isfinite(value) else None
    return str(value) if value.bit_length() < 4_096 else hex(value)  # Python refuses to write longer ones


class Contents:
    """Ids of records that have none, by content; the n-th of the same content is a record of its own.

    It holds 16 bytes of each such record.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._repeats: dict[bytes, int] = {}

    def id_of(self, value: Any) -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        digest = hashlib.blake2b(text.encode("ascii"), digest_size=16).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            return str(uuid5(NAMESPACE, digest.hex()))
        self._repeats[digest] = count = self._repeats.get(digest, 1) + 1
        return str(uuid5(NAMESPACE, f"{digest.hex()} {count}"))
