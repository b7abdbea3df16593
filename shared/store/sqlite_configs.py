"""Saved configurations in SQLite."""

from typing import Any

from shared.models import SavedConfig
from shared.sqlite import Database
from shared.store.documents import SAVED_CONFIG

_COLUMNS = SAVED_CONFIG.columns
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM configs"  # noqa: S608  no input in it
_INSERT = (
    f"INSERT INTO configs ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608  no input in it
    " ON CONFLICT DO NOTHING"
)
_REPLACE = (
    f"UPDATE configs SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)}"  # noqa: S608  no input in it
    " WHERE workspace_id = :workspace_id AND id = :id AND version = :was"
)
_DELETE = "DELETE FROM configs WHERE workspace_id = ? AND id = ?"


class SqliteConfigs:
    _database: Database

    async def insert_config(self, config: SavedConfig) -> bool:
        row = SAVED_CONFIG.row(config)
        return await self._database.write(lambda c: c.execute(_INSERT, row).rowcount == 1)

    async def config(self, workspace_id: str, config_id: str) -> SavedConfig | None:
        found = await self._configs("WHERE workspace_id = ? AND id = ?", workspace_id, config_id)
        return found[0] if found else None

    async def configs(self, workspace_id: str, project_id: str, *, limit: int = 1_000) -> list[SavedConfig]:
        where = "WHERE workspace_id = ? AND project_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
        return await self._configs(where, workspace_id, project_id, limit)

    async def replace_config(self, config: SavedConfig, version: int) -> bool:
        row = {**SAVED_CONFIG.row(config), "was": version}
        return await self._database.write(lambda c: c.execute(_REPLACE, row).rowcount == 1)

    async def delete_config(self, workspace_id: str, config_id: str) -> None:
        await self._database.write(lambda c: c.execute(_DELETE, (workspace_id, config_id)) and None)

    async def _configs(self, where: str, *given: Any) -> list[SavedConfig]:
        rows = await self._database.read(lambda c: c.execute(f"{_SELECT} {where}", given).fetchall())
        return [SAVED_CONFIG.load(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
