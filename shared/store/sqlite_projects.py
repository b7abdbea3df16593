"""Projects in SQLite."""

import sqlite3
from typing import Any

from shared.models import Project
from shared.sqlite import Database
from shared.store.documents import PROJECT, encode

_SELECT = f"SELECT {', '.join(PROJECT.columns)} FROM projects WHERE workspace_id = ?"  # noqa: S608  no input in it
_INSERT = (
    f"INSERT INTO projects ({', '.join(PROJECT.columns)}) VALUES ({', '.join(f':{name}' for name in PROJECT.columns)})"  # noqa: S608  nor here
    " ON CONFLICT DO NOTHING"
)
_SOME_RUNS = "SELECT id FROM runs INDEXED BY runs_by_time WHERE workspace_id = ? AND project_id = ? LIMIT ?"
_OF_RUN = ("bodies", "attachments", "feedback")  # tables whose rows belong to a run

_DELETE_PROJECT = (
    "DELETE FROM feedback WHERE workspace_id = ? AND project_id = ?",
    "DELETE FROM projects WHERE workspace_id = ? AND id = ?",
)


class SqliteProjects:
    _database: Database

    async def insert_project(self, project: Project) -> Project:
        row = PROJECT.row(project)

        def work(connection: sqlite3.Connection) -> list[Project]:
            connection.execute(_INSERT, row)
            return _found(connection, f"{_SELECT} AND id = ?", (project.workspace_id, project.id))

        return (await self._database.write(work))[0]

    async def project(self, workspace_id: str, project_id: str) -> Project | None:
        found = await self._projects(f"{_SELECT} AND id = ?", workspace_id, project_id)
        return found[0] if found else None

    async def project_named(self, workspace_id: str, name: str) -> Project | None:
        sql = f"{_SELECT} AND name = ? ORDER BY created_at, id LIMIT 1"
        found = await self._projects(sql, workspace_id, encode(name))
        return found[0] if found else None

    async def projects(self, workspace_id: str) -> list[Project]:
        return await self._projects(f"{_SELECT} ORDER BY created_at DESC, id DESC", workspace_id)

    async def update_project(self, workspace_id: str, project_id: str, **changes: Any) -> None:
        columns = PROJECT.sets(changes)
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE projects SET {sets} WHERE workspace_id = ? AND id = ?"  # noqa: S608  names of fields
        await self._database.write(lambda c: c.execute(sql, (*columns.values(), workspace_id, project_id)) and None)

    async def delete_project_runs(self, workspace_id: str, project_id: str, limit: int = 500) -> int:
        def work(connection: sqlite3.Connection) -> int:
            found = connection.execute(_SOME_RUNS, (workspace_id, project_id, limit))
            keys = [(workspace_id, run_id) for (run_id,) in found]
            for table in _OF_RUN:
                connection.executemany(f"DELETE FROM {table} WHERE workspace_id = ? AND run_id = ?", keys)  # noqa: S608  a table's name
            connection.executemany("DELETE FROM runs WHERE workspace_id = ? AND id = ?", keys)
            return len(keys)

        return await self._database.write(work)

    async def delete_project(self, workspace_id: str, project_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for sql in _DELETE_PROJECT:
                connection.execute(sql, (workspace_id, project_id))

        await self._database.write(work)

    async def _projects(self, sql: str, *given: str) -> list[Project]:
        return await self._database.read(lambda c: _found(c, sql, given))


def _found(connection: sqlite3.Connection, sql: str, given: tuple[str, ...]) -> list[Project]:
    return [PROJECT.load(dict(zip(PROJECT.columns, row, strict=True))) for row in connection.execute(sql, given)]
