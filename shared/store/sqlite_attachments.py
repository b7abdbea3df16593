"""Attachments of runs in SQLite."""

import sqlite3
from collections.abc import Collection, Sequence
from secrets import token_bytes

from shared.models import Attachment, StoredAttachment
from shared.sqlite import Database
from shared.store.documents import encode

_COLUMNS = ("workspace_id", "run_id", "name", "mime_type", "size")
_SAVE = "INSERT OR REPLACE INTO attachments VALUES (?, ?, ?, ?, ?, ?)"
_OF_RUNS = f"""
SELECT {", ".join(_COLUMNS)} FROM attachments
WHERE workspace_id = ? AND run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, name
"""  # noqa: S608  no input in it
_ONE = f"SELECT {', '.join(_COLUMNS)}, body FROM attachments WHERE workspace_id = ? AND run_id = ? AND name = ?"  # noqa: S608  nor here


class SqliteAttachments:
    _database: Database

    async def save_attachments(self, attachments: Sequence[StoredAttachment]) -> None:
        rows = [(*(getattr(one.attachment, name) for name in _COLUMNS), one.body) for one in attachments]
        await self._database.write(lambda c: c.executemany(_SAVE, rows) and None)

    async def attachments(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, list[Attachment]]:
        given = (workspace_id, encode(list(run_ids)))
        found: dict[str, list[Attachment]] = {}
        for row in await self._database.read(lambda c: c.execute(_OF_RUNS, given).fetchall()):
            one = Attachment.model_validate(dict(zip(_COLUMNS, row, strict=True)))
            found.setdefault(one.run_id, []).append(one)
        return found

    async def attachment(self, workspace_id: str, run_id: str, name: str) -> StoredAttachment | None:
        row = await self._database.read(lambda c: c.execute(_ONE, (workspace_id, run_id, name)).fetchone())
        if row is None:
            return None
        *head, body = row
        return StoredAttachment(Attachment.model_validate(dict(zip(_COLUMNS, head, strict=True))), body)

    async def signing_key(self) -> bytes:
        def work(connection: sqlite3.Connection) -> bytes:
            connection.execute("INSERT OR IGNORE INTO signing_keys VALUES (0, ?)", (token_bytes(32),))
            key: bytes = connection.execute("SELECT key FROM signing_keys").fetchone()[0]
            return key

        return await self._database.write(work)
