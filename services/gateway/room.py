"""Room for bodies in work: how many bytes all requests of this process hold at once, so that memory stays bounded."""

import contextlib
import threading
from collections.abc import Iterator

from fastapi import HTTPException

RETRY_AFTER = 1  # seconds


class Room:
    """What is held by one request is free again when it ends. Threads may ask too: bodies are decoded in one."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def hold(self) -> Iterator["Hold"]:
        held = Hold(self)
        try:
            yield held
        finally:
            self.give(held.size)

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        with self._lock:
            self._free += size


class Hold:
    """What one request has taken."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def take(self, size: int) -> None:
        """HTTPException 429, which clients answer by coming again."""
        if not self._room.take(size):
            detail = "Too much is being taken in just now: send this again in a moment, or in smaller parts."
            raise HTTPException(429, detail, {"Retry-After": str(RETRY_AFTER)})
        self.size += size
