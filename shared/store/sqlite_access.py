"""Workspaces and API keys in SQLite."""

import sqlite3

from shared.access import ApiKey, Workspace
from shared.sqlite import Database
from shared.store.documents import API_KEY, WORKSPACE

_KEYS = f"SELECT {', '.join(API_KEY.columns)} FROM api_keys"  # noqa: S608  no input in it
_INSERT_KEY = (
    f"INSERT INTO api_keys ({', '.join(API_KEY.columns)})"  # noqa: S608  no input in it
    f" VALUES ({', '.join(f':{name}' for name in API_KEY.columns)})"
)


class SqliteAccess:
    _database: Database

    async def insert_workspace(self, workspace: Workspace) -> None:
        row = WORKSPACE.row(workspace)
        sql = "INSERT INTO workspaces (id, name, created_at) VALUES (:id, :name, :created_at) ON CONFLICT DO NOTHING"
        await self._database.write(lambda c: c.execute(sql, row) and None)

    async def workspaces(self) -> list[Workspace]:
        sql = "SELECT id, name, created_at FROM workspaces ORDER BY created_at, id"
        rows = await self._database.read(lambda c: c.execute(sql).fetchall())
        return [WORKSPACE.load(dict(zip(("id", "name", "created_at"), row, strict=True))) for row in rows]

    async def insert_api_key(self, key: ApiKey) -> None:
        row = API_KEY.row(key)
        await self._database.write(lambda c: c.execute(_INSERT_KEY, row) and None)

    async def api_key(self, digest: str) -> ApiKey | None:
        found = await self._database.read(lambda c: _loaded(c, "WHERE digest = ?", digest))
        return found[0] if found else None

    async def api_keys(self, workspace_id: str | None = None) -> list[ApiKey]:
        where = "WHERE ? IS NULL OR workspace_id = ? ORDER BY created_at, id"
        return await self._database.read(lambda c: _loaded(c, where, workspace_id, workspace_id))

    async def has_api_keys(self) -> bool:
        return await self._database.read(lambda c: c.execute("SELECT 1 FROM api_keys LIMIT 1").fetchone() is not None)

    async def note_api_key_use(self, digest: str, at: int) -> None:
        sql = "UPDATE api_keys SET last_used = ? WHERE digest = ?"
        await self._database.write(lambda c: c.execute(sql, (at, digest)) and None)

    async def revoke_api_key(self, workspace_id: str, key_id: str, at: int) -> bool:
        sql = "UPDATE api_keys SET revoked_at = ? WHERE workspace_id = ? AND id = ? AND revoked_at IS NULL"
        return await self._database.write(lambda c: c.execute(sql, (at, workspace_id, key_id)).rowcount == 1)


def _loaded(connection: sqlite3.Connection, where: str, *given: str | None) -> list[ApiKey]:
    rows = connection.execute(f"{_KEYS} {where}", given)
    return [API_KEY.load(dict(zip(API_KEY.columns, row, strict=True))) for row in rows]
