"""Sealed secrets in SQLite."""

import sqlite3

from shared.secrets import Secret
from shared.sqlite import Database
from shared.store.documents import SECRET


class SqliteSecrets:
    _database: Database

    async def save_secret(self, secret: Secret) -> None:
        row = SECRET.row(secret)
        sql = "INSERT OR REPLACE INTO secrets VALUES (:workspace_id, :key, :sealed, :configs)"
        await self._database.write(lambda c: c.execute(sql, row) and None)

    async def secret(self, workspace_id: str, key: str) -> Secret | None:
        found = await self._database.read(lambda c: _loaded(c, "WHERE workspace_id = ? AND key = ?", workspace_id, key))
        return found[0] if found else None

    async def secrets(self, workspace_id: str | None = None) -> list[Secret]:
        where = "WHERE ? IS NULL OR workspace_id = ? ORDER BY workspace_id, key"
        return await self._database.read(lambda c: _loaded(c, where, workspace_id, workspace_id))

    async def delete_secret(self, workspace_id: str, key: str) -> bool:
        sql = "DELETE FROM secrets WHERE workspace_id = ? AND key = ?"
        return await self._database.write(lambda c: c.execute(sql, (workspace_id, key)).rowcount == 1)

    async def reseal_secret(self, workspace_id: str, key: str, before: str, after: str) -> bool:
        sql = "UPDATE secrets SET sealed = ? WHERE workspace_id = ? AND key = ? AND sealed = ?"
        given = (after, workspace_id, key, before)
        return await self._database.write(lambda c: c.execute(sql, given).rowcount == 1)


def _loaded(connection: sqlite3.Connection, where: str, *given: str | None) -> list[Secret]:
    rows = connection.execute(f"SELECT {', '.join(SECRET.columns)} FROM secrets {where}", given)  # noqa: S608  fields
    return [SECRET.load(dict(zip(SECRET.columns, row, strict=True))) for row in rows]
