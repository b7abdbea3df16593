"""One SQLite file for many coroutines: one writer thread with group commit, reader threads beside it.

Whatever callers wait to write while a transaction runs goes into the next one together, so that a thousand small
durable writes cost a few commits. WAL with synchronous=NORMAL: what was committed outlives a killed process.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import RefusedError, UnavailableError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
GROUP = 1_000


@dataclass(slots=True)
class _Write:
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # its caller was cancelled; the write stands
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Database:
    """`write` and `read` run a function on a connection in a thread; a write is committed when it returns."""

    def __init__(self, path: Path, schema: str, *, readers: int = 2) -> None:
        self._path = path
        self._closed = False
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._connection = self._connect()
        self._connection.executescript(schema)
        self._local = threading.local()
        self._read_connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(readers, f"read {path.name}", self._open_reader)
        self._writer = threading.Thread(target=self._write_loop, name=f"write {path.name}", daemon=True)
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """What `work` returns. It runs in a transaction of its own sort: its error undoes it alone."""
        self._check_open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writes.put(_Write(work, loop, future))
        return await future

    async def read(self, work: Work[T]) -> T:
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def close(self) -> None:
        self._closed = True
        self._writes.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in (*self._read_connections, self._connection):
            connection.close()

    def _check_open(self) -> None:
        if self._closed or not self._writer.is_alive():
            raise UnavailableError(f"{self._path} is closed: start this process again.")

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA cache_size=-32000")
        except sqlite3.Error as error:
            raise UnavailableError(
                f"{self._path} cannot be opened ({error}): is the folder there and writable?"
            ) from error
        return connection

    def _open_reader(self) -> None:
        self._local.connection = connection = self._connect()
        connection.execute("PRAGMA query_only=ON")
        self._read_connections.append(connection)

    def _read(self, work: Work[T]) -> T:
        try:
            return work(self._local.connection)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def _refused(self, error: sqlite3.Error) -> RefusedError:
        return RefusedError(f"{self._path} refused this ({error}): is its disk full or read-only, or the file damaged?")

    def _write_loop(self) -> None:
        while (first := self._writes.get()) is not None:
            group = [first]
            try:
                while len(group) < GROUP and (more := self._writes.get_nowait()) is not None:
                    group.append(more)
                else:
                    closing = len(group) < GROUP
            except queue.Empty:
                closing = False
            self._commit(group)
            for loop in {write.loop for write in group}:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_settle, [write for write in group if write.loop is loop])
            if closing:
                return

    def _commit(self, group: list[_Write]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for write in group:
                self._run(write)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            for write in group:
                write.error = write.error or self._refused(error)
            with contextlib.suppress(sqlite3.Error):  # the next BEGIN says so; this thread must live
                connection.execute("ROLLBACK")

    def _run(self, write: _Write) -> None:
        connection = self._connection
        connection.execute("SAVEPOINT one")
        try:
            write.result = write.work(connection)
        except Exception as error:  # noqa: BLE001  it is raised in the caller, by settle()
            connection.execute("ROLLBACK TO one")
            write.error = self._refused(error) if isinstance(error, sqlite3.Error) else error
            if write.error is not error:
                write.error.__cause__ = error
        connection.execute("RELEASE one")


def _settle(writes: list[_Write]) -> None:
    for write in writes:
        write.settle()
