"""Answers of models and the bill of each job in SQLite."""

from collections.abc import Collection, Mapping

from shared.models import Spending, Stage
from shared.sqlite import Database
from shared.store.documents import COUNTED, SPENDING, encode, sorted_bill

_ANSWERS = "SELECT key, body FROM answers WHERE workspace_id = ? AND key IN (SELECT value FROM json_each(?))"
_KEEP = "INSERT OR REPLACE INTO answers (workspace_id, key, stage, body) VALUES (?, ?, ?, ?)"
_BILL = f"SELECT {', '.join(SPENDING.columns)} FROM spending WHERE workspace_id = ? AND job_id = ?"  # noqa: S608  no input in it
_NAMES = ("workspace_id", "job_id", *SPENDING.columns)
_ADD = (
    f"INSERT INTO spending ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"  # noqa: S608  no input in it
    " ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTED)
    + ", estimated = max(estimated, excluded.estimated)"
)


class SqliteAnswers:
    _database: Database

    async def answers(self, workspace_id: str, keys: Collection[str]) -> dict[str, bytes]:
        wanted = encode(list(keys))
        return await self._database.read(lambda c: dict(c.execute(_ANSWERS, (workspace_id, wanted)).fetchall()))

    async def keep_answers(self, workspace_id: str, answers: Mapping[Stage, Mapping[str, bytes]]) -> None:
        rows = [(workspace_id, key, str(stage), body) for stage, some in answers.items() for key, body in some.items()]
        await self._database.write(lambda c: c.executemany(_KEEP, rows) and None)

    async def count_answers(self, workspace_id: str | None = None) -> dict[Stage, tuple[int, int]]:
        where, given = _of(workspace_id)
        sql = f"SELECT stage, count(*), sum(length(body)) FROM answers {where} GROUP BY stage"  # noqa: S608  no input in it
        rows = await self._database.read(lambda c: c.execute(sql, given).fetchall())
        return {Stage(stage): (count, size) for stage, count, size in rows}

    async def clear_answers(self, workspace_id: str | None = None) -> int:
        where, given = _of(workspace_id)
        sql = f"DELETE FROM answers {where}"  # noqa: S608  no input in it
        return await self._database.write(lambda c: c.execute(sql, given).rowcount)

    async def add_spending(self, workspace_id: str, job_id: str, spending: Spending) -> None:
        row = {"workspace_id": workspace_id, "job_id": job_id, **SPENDING.row(spending)}
        await self._database.write(lambda c: c.execute(_ADD, row) and None)

    async def spending(self, workspace_id: str, job_id: str) -> list[Spending]:
        rows = await self._database.read(lambda c: c.execute(_BILL, (workspace_id, job_id)).fetchall())
        return sorted_bill(SPENDING.load(dict(zip(SPENDING.columns, row, strict=True))) for row in rows)


def _of(workspace_id: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if workspace_id is None else ("WHERE workspace_id = ?", (workspace_id,))
