"""The store in one SQLite file: runs, items and answers of models in modules of their own, the rest here."""

import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

from shared.bodies import pack, unpack
from shared.ending import now
from shared.errors import RefusedError, UnavailableError, UsageError
from shared.models import Job, JobState, Plan, Report
from shared.sqlite import Database
from shared.store.documents import JOB, encode, names
from shared.store.leases import Lease, lapse
from shared.store.sqlite_access import SqliteAccess
from shared.store.sqlite_answers import SqliteAnswers
from shared.store.sqlite_attachments import SqliteAttachments
from shared.store.sqlite_configs import SqliteConfigs
from shared.store.sqlite_feedback import SqliteFeedback
from shared.store.sqlite_items import SqliteItems
from shared.store.sqlite_places import SqlitePlaces
from shared.store.sqlite_projects import SqliteProjects
from shared.store.sqlite_queries import SqliteQueries
from shared.store.sqlite_runs import SqliteRuns
from shared.store.sqlite_schema import SCHEMA, add_columns
from shared.store.sqlite_secrets import SqliteSecrets

_PREFIX = "sqlite:///"
_SELECT_JOBS = f"SELECT {', '.join(JOB.columns)} FROM jobs"  # noqa: S608  no input in it
_INSERT_JOB = (
    f"INSERT INTO jobs ({', '.join(JOB.columns)}) VALUES ({', '.join(f':{name}' for name in JOB.columns)})"  # noqa: S608  no input in it
    " ON CONFLICT DO NOTHING"
)
_OF_JOB = ("plans", "items", "features", "reports", "spending", "orders")


def path_of(url: str) -> Path:
    """`sqlite:///data/insights.db` is an absolute path; a name without a slash, or from `./`, starts at this folder."""
    name = url.removeprefix(_PREFIX)
    if name == url or not name:
        raise UsageError(f"{url}: a store in SQLite is written sqlite:///path/insights.db.")
    relative = "/" not in name or name.startswith(("./", "../"))
    return Path(name) if relative else Path("/", name)


class SqliteStore(
    SqliteProjects,
    SqliteRuns,
    SqliteQueries,
    SqliteAttachments,
    SqliteFeedback,
    SqliteItems,
    SqlitePlaces,
    SqliteAnswers,
    SqliteConfigs,
    SqliteAccess,
    SqliteSecrets,
):
    def __init__(self, path: Path, database: Database) -> None:
        self._path = path
        self._database = database

    @classmethod
    async def open(cls, url: str) -> Self:
        """The store of this URL, with its tables made. UnavailableError where the folder is not there."""
        path = path_of(url)
        if not path.parent.is_dir():
            raise UnavailableError(f"{path} cannot be opened: make the folder {path.parent} first.")
        try:
            database = Database(path, SCHEMA)
            await database.write(add_columns)
            return cls(path, database)
        except sqlite3.Error as error:
            raise UnavailableError(f"{path} cannot be opened ({error}): is it a store of Insights?") from error

    async def init(self) -> None:
        await self.check()

    async def check(self) -> None:
        """A real write: a file that only reads well takes no results."""
        if not self._path.is_file():
            raise UnavailableError(f"{self._path} is gone: put it back, and start again.")
        try:
            await self._execute("INSERT OR REPLACE INTO checks (id, at) VALUES (0, ?)", now())
        except RefusedError as error:
            raise UnavailableError(f"The store takes no writes. {error}") from error

    async def close(self) -> None:
        await self._database.close()

    async def insert_job(self, job: Job) -> bool:
        row = JOB.row(job)
        return await self._database.write(lambda c: c.execute(_INSERT_JOB, row).rowcount == 1)

    async def job(self, workspace_id: str, job_id: str) -> Job | None:
        found = await self._jobs("WHERE workspace_id = ? AND id = ?", workspace_id, job_id)
        return found[0] if found else None

    async def jobs(
        self,
        workspace_id: str,
        project_id: str,
        *,
        config_id: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Job]:
        where = "WHERE workspace_id = ? AND project_id = ? AND (? IS NULL OR config_id = ?)"
        page = "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
        given = (workspace_id, project_id, config_id, config_id, -1 if limit is None else limit, offset)
        return await self._jobs(f"{where} {page}", *given)

    async def jobs_in(self, states: Collection[JobState], *, limit: int = 1_000) -> list[Job]:
        where = "WHERE state IN (SELECT value FROM json_each(?)) ORDER BY created_at, id LIMIT ?"
        return await self._jobs(where, encode(names(states)), limit)

    async def unannounced_jobs(self, created_before: int) -> list[Job]:
        return await self._jobs("WHERE announced = 0 AND created_at < ? ORDER BY created_at, id", created_before)

    async def move_job(
        self,
        workspace_id: str,
        job_id: str,
        origin: Collection[JobState],
        target: JobState,
        *,
        only_fence: int | None = None,
        **changes: Any,
    ) -> bool:
        columns = JOB.changes(target, changes)
        sets = ", ".join(f"{name} = ?" for name in columns)
        where = "workspace_id = ? AND id = ? AND state IN (SELECT value FROM json_each(?)) AND (? IS NULL OR fence = ?)"
        sql = f"UPDATE jobs SET {sets} WHERE {where}"  # noqa: S608  names of fields
        given = (*columns.values(), workspace_id, job_id, encode(names(origin)), only_fence, only_fence)
        return await self._database.write(lambda c: c.execute(sql, given).rowcount == 1)

    async def rename_job(self, workspace_id: str, job_id: str, name: str) -> bool:
        sql = "UPDATE jobs SET name = ? WHERE workspace_id = ? AND id = ?"
        return await self._execute(sql, encode(name), workspace_id, job_id) == 1

    async def mark_announced(self, workspace_id: str, job_id: str) -> None:
        await self._execute("UPDATE jobs SET announced = 1 WHERE workspace_id = ? AND id = ?", workspace_id, job_id)

    async def delete_job(self, workspace_id: str, job_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for table in _OF_JOB:
                sql = f"DELETE FROM {table} WHERE workspace_id = ? AND job_id = ?"  # noqa: S608  no input in it
                connection.execute(sql, (workspace_id, job_id))
            connection.execute("DELETE FROM jobs WHERE workspace_id = ? AND id = ?", (workspace_id, job_id))

        await self._database.write(work)

    async def insert_plan(self, plan: Plan) -> None:
        sql = "INSERT INTO plans VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        await self._execute(sql, plan.workspace_id, plan.job_id, pack(plan.model_dump()))

    async def plan(self, workspace_id: str, job_id: str) -> Plan | None:
        sql = "SELECT document FROM plans WHERE workspace_id = ? AND job_id = ?"
        row = await self._database.read(lambda c: c.execute(sql, (workspace_id, job_id)).fetchone())
        return row and Plan.model_validate(unpack(row[0]))

    async def acquire_lease(self, name: str, owner: str, seconds: float) -> int | None:
        def work(connection: sqlite3.Connection) -> int | None:
            at = now()
            row = connection.execute("SELECT owner, until, fence FROM leases WHERE name = ?", (name,)).fetchone()
            fence = (Lease(*row) if row else Lease()).fence_for(owner, at)
            if fence is not None:
                sql = "INSERT OR REPLACE INTO leases (name, owner, until, fence) VALUES (?, ?, ?, ?)"
                connection.execute(sql, (name, owner, lapse(at, seconds), fence))
            return fence

        return await self._database.write(work)

    async def renew_lease(self, name: str, owner: str, seconds: float) -> bool:
        sql = "UPDATE leases SET until = ? WHERE name = ? AND owner = ?"
        return await self._execute(sql, lapse(now(), seconds), name, owner) == 1

    async def release_lease(self, name: str, owner: str) -> None:
        await self._execute("UPDATE leases SET owner = NULL WHERE name = ? AND owner = ?", name, owner)

    async def save_report(self, report: Report) -> None:
        sql = "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?)"
        await self._execute(sql, report.workspace_id, report.job_id, report.fence, pack(report.model_dump()))

    async def report(self, workspace_id: str, job_id: str, fence: int) -> Report | None:
        sql = "SELECT document FROM reports WHERE workspace_id = ? AND job_id = ? AND fence = ?"
        row = await self._database.read(lambda c: c.execute(sql, (workspace_id, job_id, fence)).fetchone())
        return row and Report.model_validate(unpack(row[0]))

    async def _execute(self, sql: str, *given: Any) -> int:
        """How many rows the statement wrote."""
        return await self._database.write(lambda c: c.execute(sql, given).rowcount)

    async def _jobs(self, where: str, *given: Any) -> list[Job]:
        rows = await self._database.read(lambda c: c.execute(f"{_SELECT_JOBS} {where}", given).fetchall())
        return [JOB.load(dict(zip(JOB.columns, row, strict=True))) for row in rows]
