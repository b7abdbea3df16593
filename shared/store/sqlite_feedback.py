"""Feedback in SQLite."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from shared.feedback import FeedbackRecord, WantedFeedback
from shared.models import Run
from shared.sqlite import Database
from shared.store.documents import FEEDBACK, encode

_COLUMNS = FEEDBACK.columns
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM feedback WHERE workspace_id = ?"  # noqa: S608  no input in it
_SAVE = (
    f"INSERT INTO feedback ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608  nor here
    f" ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS)}"
    " WHERE excluded.modified_at >= modified_at"
)
_SCORES = """
SELECT run_id, key, score FROM feedback WHERE workspace_id = ? AND run_id IN (SELECT value FROM json_each(?))
"""
_PLACE = """
UPDATE feedback SET trace_id = :trace_id, project_id = :project_id
WHERE workspace_id = :workspace_id AND run_id = :id AND (trace_id IS NOT :trace_id OR project_id IS NOT :project_id)
"""
_DELETE = "DELETE FROM feedback WHERE workspace_id = ? AND id = ?"


class SqliteFeedback:
    _database: Database

    async def save_feedback(self, records: Sequence[FeedbackRecord]) -> None:
        rows = [FEEDBACK.row(one) for one in records]
        await self._database.write(lambda c: c.executemany(_SAVE, rows) and None)

    async def feedback_by_id(self, workspace_id: str, feedback_ids: Collection[str]) -> dict[str, FeedbackRecord]:
        sql = f"{_SELECT} AND id IN (SELECT value FROM json_each(?))"  # noqa: S608  no input in it
        return {one.id: one for one in await self._feedback(sql, workspace_id, encode(list(feedback_ids)))}

    async def feedback(self, wanted: WantedFeedback, *, offset: int = 0, limit: int = 100) -> list[FeedbackRecord]:
        asked = {
            "run_id": wanted.run_ids,
            "project_id": wanted.project_ids,
            "key": [encode(key) for key in wanted.keys],
            "source": [encode(source) for source in wanted.sources],
        }
        given = {column: encode(list(values)) for column, values in asked.items() if values}
        conditions = "".join(f" AND {column} IN (SELECT value FROM json_each(?))" for column in given)  # noqa: S608  nor here
        sql = f"{_SELECT}{conditions} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
        return await self._feedback(sql, wanted.workspace_id, *given.values(), limit, offset)

    async def update_feedback(self, workspace_id: str, feedback_id: str, **changes: Any) -> bool:
        columns = FEEDBACK.sets(changes)
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE feedback SET {sets} WHERE workspace_id = ? AND id = ?"  # noqa: S608  names of fields
        given = (*columns.values(), workspace_id, feedback_id)
        return await self._database.write(lambda c: c.execute(sql, given).rowcount == 1)

    async def delete_feedback(self, workspace_id: str, feedback_id: str) -> None:
        await self._database.write(lambda c: c.execute(_DELETE, (workspace_id, feedback_id)) and None)

    async def feedback_scores(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, dict[str, list[Any]]]:
        given = (workspace_id, encode(list(run_ids)))
        found: dict[str, dict[str, list[Any]]] = {}
        for run_id, key, score in await self._database.read(lambda c: c.execute(_SCORES, given).fetchall()):
            found.setdefault(run_id, {}).setdefault(json.loads(key), []).append(json.loads(score or "null"))
        return found

    async def place_feedback(self, runs: Sequence[Run]) -> None:
        names = ("workspace_id", "id", "trace_id", "project_id")
        rows = [{name: getattr(run, name) for name in names} for run in runs]
        await self._database.write(lambda c: c.executemany(_PLACE, rows) and None)

    async def _feedback(self, sql: str, *given: Any) -> list[FeedbackRecord]:
        def work(connection: sqlite3.Connection) -> list[FeedbackRecord]:
            return [FEEDBACK.load(dict(zip(_COLUMNS, row, strict=True))) for row in connection.execute(sql, given)]

        return await self._database.read(work)
