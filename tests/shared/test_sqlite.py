"""One SQLite file: what it refuses becomes a sentence, and nobody waits for ever."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import RefusedError, UnavailableError
from shared.sqlite import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
PATIENCE = 20


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "some.db", SCHEMA)
    yield database
    await database.close()


def insert(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO t VALUES (1, x'00')")


def count(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM t").fetchone()[0]
    return found


def refuse(connection: sqlite3.Connection) -> None:
    raise sqlite3.DatabaseError("database disk image is malformed")


async def test_whatever_sqlite_says_is_a_refusal_with_what_to_look_at(database: Database) -> None:
    for call in (database.read, database.write):
        with pytest.raises(
            RefusedError, match=r"some\.db refused this \(database disk image is malformed\): is its disk"
        ):
            await call(refuse)


async def test_a_broken_rule_of_the_schema_is_a_refusal_and_undoes_itself_alone(database: Database) -> None:
    one, two, three = await asyncio.gather(
        database.write(insert), database.write(insert), database.write(count), return_exceptions=True
    )
    assert (one, three) == (None, 1)
    assert isinstance(two, RefusedError)
    assert isinstance(two.__cause__, sqlite3.IntegrityError)


async def test_an_error_that_is_not_of_sqlite_comes_as_it_is(database: Database) -> None:
    """A defect must not be tried again as if the store had refused."""
    for call in (database.read, database.write):
        with pytest.raises(ZeroDivisionError):
            await call(lambda connection: 1 // 0)


async def test_a_transaction_that_was_ended_by_sqlite_itself_refuses_its_group_and_not_the_next(
    database: Database,
) -> None:
    """As a full disk does: SQLite rolls back by itself, and then knows no savepoint."""
    with pytest.raises(RefusedError):
        await asyncio.wait_for(database.write(lambda connection: connection.execute("ROLLBACK")), PATIENCE)
    await asyncio.wait_for(database.write(insert), PATIENCE)
    assert await database.read(count) == 1


async def test_a_closed_database_is_unavailable_to_readers_and_writers_alike(tmp_path: Path) -> None:
    database = Database(tmp_path / "some.db", SCHEMA)
    await database.close()
    for call in (database.read, database.write):
        with pytest.raises(UnavailableError, match="closed"):
            await call(count)


async def test_a_write_while_the_database_closes_is_told_so(tmp_path: Path) -> None:
    """It would stand behind the end of the queue, where nobody reads."""
    database, go_on = Database(tmp_path / "some.db", SCHEMA), asyncio.Event()
    loop = asyncio.get_running_loop()

    def busy(connection: sqlite3.Connection) -> None:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(PATIENCE)

    writing = asyncio.create_task(database.write(busy))
    await asyncio.sleep(0)  # it has begun
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)  # so has this
    with pytest.raises(UnavailableError, match="closed"):
        await asyncio.wait_for(database.write(count), PATIENCE)
    go_on.set()
    await writing
    await closing
