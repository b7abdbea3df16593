"""Items in SQLite: every look that is taken once an item is one look at an index."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from shared.models import OPEN, Assignment, Item, ItemState
from shared.sqlite import Database
from shared.store.documents import ASSIGNED, ITEM, assigned, encode, names

_COLUMNS = tuple(name for name in ITEM.columns if name != "features")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM items WHERE workspace_id = ? AND job_id = ?"  # noqa: S608  no input in it
_OF_JOB = "WHERE workspace_id = ? AND job_id = ?"
_INSERT = (
    f"INSERT INTO items ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608  no input in it
    " ON CONFLICT DO NOTHING"
)
_SAVE_FEATURES = "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?)"
_FEATURES = f"SELECT item_id, body FROM features {_OF_JOB}"  # noqa: S608  no input in it
_AMONG = "IN (SELECT value FROM json_each(?))"
_SETS = ", ".join(f"{name} = ?" for name in ASSIGNED)
_ASSIGN = f"UPDATE items SET {_SETS}, fence = ? {_OF_JOB} AND id = ? AND fence <= ?"  # noqa: S608  no input in it
_IDS = f"SELECT id FROM items {_OF_JOB} AND state = ? AND id > ? ORDER BY id LIMIT ?"  # noqa: S608  no input in it
_HAS = f"SELECT EXISTS (SELECT 1 FROM items {_OF_JOB} AND state = ?)"  # noqa: S608  no input in it
_COUNT = f"SELECT state, count(*) FROM items {_OF_JOB} GROUP BY state"  # noqa: S608  no input in it
_IN_FLIGHT = f"SELECT count(*) FROM items {_OF_JOB} AND state IN ('released', 'summarized')"  # noqa: S608  no input in it
_RELEASE = f"UPDATE items SET state = 'released' {_OF_JOB} AND id = ?"  # noqa: S608  no input in it
_LEAVE_OUT = f"UPDATE items SET state = 'left_out', reason = ? {_OF_JOB} AND state = 'pending'"  # noqa: S608  no input in it

Key = tuple[str, str]


class SqliteItems:
    _database: Database

    async def insert_items(self, items: Sequence[Item]) -> None:
        rows = [ITEM.row(item) for item in items]

        def work(connection: sqlite3.Connection) -> None:
            for row in rows:
                body = row.pop("features")
                if connection.execute(_INSERT, row).rowcount and body:
                    connection.execute(_SAVE_FEATURES, (row["workspace_id"], row["job_id"], row["id"], body))

        await self._database.write(work)

    async def clear_items(self, workspace_id: str, job_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for table in ("items", "features"):
                sql = f"DELETE FROM {table} WHERE workspace_id = ? AND job_id = ?"  # noqa: S608  no input in it
                connection.execute(sql, (workspace_id, job_id))

        await self._database.write(work)

    async def item(self, workspace_id: str, job_id: str, item_id: str) -> Item | None:
        def work(connection: sqlite3.Connection) -> list[Item]:
            return _load(connection, (workspace_id, job_id), [item_id], features=True)

        found = await self._database.read(work)
        return found[0] if found else None

    async def items(
        self,
        workspace_id: str,
        job_id: str,
        *,
        states: Collection[ItemState] | None = None,
        after: str | None = None,
        limit: int = 1_000,
        features: bool = False,
    ) -> list[Item]:
        wanted = names(set(ItemState) if states is None else set(states))

        def work(connection: sqlite3.Connection) -> list[Item]:
            page = _page(connection, (workspace_id, job_id), wanted, after or "", limit)
            return _load(connection, (workspace_id, job_id), page, features=features)

        return await self._database.read(work)

    async def count_items(self, workspace_id: str, job_id: str) -> dict[ItemState, int]:
        rows = await self._database.read(lambda c: c.execute(_COUNT, (workspace_id, job_id)).fetchall())
        return {ItemState(state): count for state, count in rows}

    async def has_open_items(self, workspace_id: str, job_id: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            looks = (connection.execute(_HAS, (workspace_id, job_id, str(state))).fetchone() for state in OPEN)
            return any(found for (found,) in looks)

        return await self._database.read(work)

    async def release_items(self, workspace_id: str, job_id: str, limit: int) -> list[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            given = (workspace_id, job_id, str(ItemState.PENDING), "", limit)
            ids = [item_id for (item_id,) in connection.execute(_IDS, given)]
            connection.executemany(_RELEASE, [(workspace_id, job_id, item_id) for item_id in ids])
            return ids

        return await self._database.write(work)

    async def leave_out_pending(self, workspace_id: str, job_id: str, reason: str) -> int:
        given = (encode(reason), workspace_id, job_id)
        return await self._database.write(lambda c: c.execute(_LEAVE_OUT, given).rowcount)

    async def count_in_flight(self, workspace_id: str, job_id: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return int(connection.execute(_IN_FLIGHT, (workspace_id, job_id)).fetchone()[0])

        return await self._database.read(work)

    async def move_item(
        self,
        workspace_id: str,
        job_id: str,
        item_id: str,
        origin: Collection[ItemState],
        target: ItemState,
        **changes: Any,
    ) -> bool:
        columns = ITEM.changes(target, changes)
        body = columns.pop("features", None)
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE items SET {sets} {_OF_JOB} AND id = ? AND state {_AMONG}"  # noqa: S608  names of fields
        given = (*columns.values(), workspace_id, job_id, item_id, encode(names(origin)))

        def work(connection: sqlite3.Connection) -> bool:
            moved = connection.execute(sql, given).rowcount == 1
            if moved and body is not None:
                connection.execute(_SAVE_FEATURES, (workspace_id, job_id, item_id, body))
            return moved

        return await self._database.write(work)

    async def assign_items(self, workspace_id: str, job_id: str, fence: int, found: Sequence[Assignment]) -> None:
        rows = [(*assigned(one).values(), fence, workspace_id, job_id, one.item_id, fence) for one in found]
        await self._database.write(lambda c: c.executemany(_ASSIGN, rows) and None)


def _page(connection: sqlite3.Connection, key: Key, states: list[str], after: str, limit: int) -> list[str]:
    """The next ids in these states: a page of each, cut to one, so that no state's other items are read."""
    ids = [item_id for state in states for (item_id,) in connection.execute(_IDS, (*key, state, after, limit))]
    return sorted(ids)[:limit]


def _load(connection: sqlite3.Connection, key: Key, ids: list[str], *, features: bool) -> list[Item]:
    """The items of these ids, sorted by id."""
    given = (*key, encode(ids))
    bodies = dict(connection.execute(f"{_FEATURES} AND item_id {_AMONG}", given)) if features else {}
    rows = connection.execute(f"{_SELECT} AND id {_AMONG} ORDER BY id", given)
    found = (dict(zip(_COLUMNS, row, strict=True)) for row in rows)
    return [ITEM.load({**row, "features": bodies.get(row["id"], b"")}) for row in found]
