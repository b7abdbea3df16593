"""The rows behind LocalBus: an event stands here, once for each of its queues, until it was handled.

What is added and what was handled meanwhile goes into one write, so that a busy bus commits a few times a second.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.sqlite import Database

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dead_letters (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
"""
_INSERT = "INSERT INTO events (queue, body) VALUES (?, ?)"

Committed = Callable[[list[int]], None]


@dataclass(slots=True)
class _Addition:
    queues: Sequence[str]
    body: bytes
    committed: Committed
    future: asyncio.Future[None]

    def settle(self, ids: list[int]) -> None:
        self.committed(ids)
        if not self.future.done():  # its caller may have been cancelled; the rows stand
            self.future.set_result(None)

    def refuse(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Journal:
    """Every method belongs to the event loop in which the first one was called."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, readers=1)
        self._additions: list[_Addition] = []
        self._handled: list[int] = []
        self._flusher: asyncio.Task[None] | None = None

    async def add(self, queues: Sequence[str], body: bytes, committed: Committed) -> None:
        """Return when a row for each queue is durable; `committed` gets their ids, even if the caller is gone."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._additions.append(_Addition(queues, body, committed, future))
        self._flush()
        await future

    def handled(self, row: int) -> None:
        """Forget the row soon. Nobody waits for it: an event that comes again over a crash is allowed."""
        self._handled.append(row)
        self._flush()

    async def left(self, queue: str) -> list[tuple[int, bytes]]:
        """The rows of a queue, oldest first."""
        query = "SELECT id, body FROM events WHERE queue = ? ORDER BY id"
        return await self._database.read(lambda connection: connection.execute(query, (queue,)).fetchall())

    async def add_dead_letter(self, body: bytes) -> None:
        insert = "INSERT INTO dead_letters (body) VALUES (?)"
        await self._database.write(lambda connection: connection.execute(insert, (body,)))

    async def dead_letters(self) -> list[bytes]:
        """Oldest first."""
        query = "SELECT body FROM dead_letters ORDER BY id"
        return await self._database.read(lambda connection: [row[0] for row in connection.execute(query)])

    async def check(self) -> None:
        await self._database.read(lambda connection: connection.execute("SELECT 1").fetchone())

    async def close(self) -> None:
        """After the last write. What could not be deleted is delivered once more."""
        while self._flusher and not self._flusher.done():
            await asyncio.wait([self._flusher])
        await self._database.close()

    def _flush(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._additions or self._handled:
            additions, self._additions = self._additions, []
            handled, self._handled = self._handled, []
            try:
                found = await self._database.write(lambda connection: _apply(connection, additions, handled))  # noqa: B023
            except Exception as error:  # it is raised in the publishers: none may wait for ever
                log.error("%d events were not taken: %s", len(additions), error, exc_info=error)
                for addition in additions:
                    addition.refuse(error)
            else:
                for addition, ids in zip(additions, found, strict=True):
                    addition.settle(ids)


def _apply(connection: sqlite3.Connection, additions: list[_Addition], handled: list[int]) -> list[list[int]]:
    """The ids of the new rows, by addition."""
    connection.executemany("DELETE FROM events WHERE id = ?", [(row,) for row in handled])
    return [[_insert(connection, queue, addition.body) for queue in addition.queues] for addition in additions]


def _insert(connection: sqlite3.Connection, queue: str, body: bytes) -> int:
    row = connection.execute(_INSERT, (queue, body)).lastrowid
    assert row is not None
    return row
