"""Items by their place in the report, in SQLite."""

from collections.abc import Collection, Mapping

from shared.models import Item
from shared.sqlite import Database
from shared.store.documents import ITEM, encode

_COLUMNS = tuple(name for name in ITEM.columns if name != "features")
_AT = (
    f"SELECT {', '.join(_COLUMNS)} FROM items INDEXED BY items_by_place"  # noqa: S608  no input in it
    " WHERE workspace_id = ? AND job_id = ? AND place IS NOT NULL AND place IN (SELECT value FROM json_each(?))"
    " ORDER BY place"
)
_SAVE = "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)"
_ORDER = "SELECT body FROM orders WHERE workspace_id = ? AND job_id = ? AND fence = ? AND name = ?"


class SqlitePlaces:
    _database: Database

    async def items_at(self, workspace_id: str, job_id: str, places: Collection[int]) -> list[Item]:
        given = (workspace_id, job_id, encode(list(places)))
        rows = await self._database.read(lambda c: c.execute(_AT, given).fetchall())
        return [ITEM.load(dict(zip(_COLUMNS, row, strict=True))) for row in rows]

    async def save_orders(self, workspace_id: str, job_id: str, fence: int, orders: Mapping[str, bytes]) -> None:
        rows = [(workspace_id, job_id, fence, encode(name), body) for name, body in orders.items()]
        await self._database.write(lambda c: c.executemany(_SAVE, rows) and None)

    async def order(self, workspace_id: str, job_id: str, fence: int, name: str) -> bytes | None:
        given = (workspace_id, job_id, fence, encode(name))
        row = await self._database.read(lambda c: c.execute(_ORDER, given).fetchone())
        return row and bytes(row[0])
