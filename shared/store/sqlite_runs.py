"""Runs and their bodies in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import uuid4

from shared.models import BodyPart, Run, StoredRun
from shared.sqlite import Database
from shared.store.documents import dump_run, encode, load_run, trace_order, without_twins
from shared.store.queries import indexed

_SAVE_RUN = """
INSERT INTO runs (workspace_id, id, project_id, trace_id, root, start_time, received_at, document,
    time, status, run_type, name, thread_id, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workspace_id, id) DO UPDATE SET project_id = excluded.project_id, trace_id = excluded.trace_id,
    root = excluded.root, start_time = excluded.start_time, received_at = excluded.received_at,
    document = excluded.document, time = excluded.time, status = excluded.status, run_type = excluded.run_type,
    name = excluded.name, thread_id = excluded.thread_id, version = excluded.version
"""
_MERGE_RUN = f"{_SAVE_RUN} WHERE runs.version IS ?"
_SAVE_BODY = "INSERT OR REPLACE INTO bodies VALUES (?, ?, ?, ?)"
_STORED_RUNS = """
SELECT id, version, document FROM runs WHERE workspace_id = ? AND id IN (SELECT value FROM json_each(?))
"""
_BODIES_OF = """
SELECT part, body FROM bodies WHERE workspace_id = ? AND run_id = ? AND part IN (SELECT value FROM json_each(?))
"""
_ROOT_RUNS = """
SELECT document FROM runs INDEXED BY roots_by_id
WHERE workspace_id = :workspace_id AND project_id = :project_id AND root = 1 AND id > :after
    AND (:start IS NULL OR start_time >= :start) AND (:end IS NULL OR start_time < :end)
    AND (:received_before IS NULL OR received_at < :received_before)
ORDER BY id LIMIT :limit
"""
_BODIES = """
SELECT run_id, part, body FROM bodies
WHERE workspace_id = ? AND run_id IN (SELECT value FROM json_each(?)) AND part IN (SELECT value FROM json_each(?))
"""


class SqliteRuns:
    _database: Database

    async def save_runs(self, runs: Sequence[StoredRun]) -> None:
        latest = without_twins(runs)
        rows, bodies = _rows(latest)
        keys = [(stored.run.workspace_id, stored.run.id) for stored in latest]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_SAVE_RUN, rows)
            connection.executemany("DELETE FROM bodies WHERE workspace_id = ? AND run_id = ?", keys)
            connection.executemany(_SAVE_BODY, bodies)

        await self._database.write(work)

    async def merge_runs(self, runs: Sequence[StoredRun]) -> set[str]:
        rows = [(*row, stored.version) for row, stored in zip(_rows(runs)[0], runs, strict=True)]
        bodies = {stored.run.id: [_body(stored, *one) for one in stored.bodies.items()] for stored in runs}

        def work(connection: sqlite3.Connection) -> set[str]:
            saved = [connection.execute(_MERGE_RUN, row).rowcount for row in rows]
            changed = {stored.run.id for stored, count in zip(runs, saved, strict=True) if not count}
            kept = chain(*(some for run_id, some in bodies.items() if run_id not in changed))
            connection.executemany(_SAVE_BODY, kept)
            return changed

        return await self._database.write(work)

    async def stored_runs(self, workspace_id: str, parts: Mapping[str, Collection[BodyPart]]) -> dict[str, StoredRun]:
        """The version is read before the bodies: if they are newer, `merge_runs` finds another version."""
        wanted = {run_id: encode(list(names)) for run_id, names in parts.items()}
        ids = encode(list(parts))

        def work(connection: sqlite3.Connection) -> dict[str, StoredRun]:
            found = {}
            for run_id, version, document in connection.execute(_STORED_RUNS, (workspace_id, ids)).fetchall():
                bodies = dict(connection.execute(_BODIES_OF, (workspace_id, run_id, wanted[run_id])).fetchall())
                found[run_id] = StoredRun(load_run(document), bodies, version)
            return found

        return await self._database.read(work)

    async def runs(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, Run]:
        found = await self._runs_where("id", workspace_id, run_ids)
        return {run.id: run for run in found}

    async def trace_runs(self, workspace_id: str, trace_ids: Collection[str]) -> list[Run]:
        return sorted(await self._runs_where("trace_id", workspace_id, trace_ids), key=trace_order)

    async def root_runs(
        self,
        workspace_id: str,
        project_id: str,
        *,
        start: int | None = None,
        end: int | None = None,
        received_before: int | None = None,
        after: str | None = None,
        limit: int = 1_000,
    ) -> list[Run]:
        given = {
            "workspace_id": workspace_id,
            "project_id": project_id,
            "start": start,
            "end": end,
            "received_before": received_before,
            "after": after or "",
            "limit": limit,
        }
        rows = await self._database.read(lambda c: c.execute(_ROOT_RUNS, given).fetchall())
        return [load_run(text) for (text,) in rows]

    async def bodies(
        self, workspace_id: str, run_ids: Collection[str], parts: Collection[BodyPart]
    ) -> dict[str, dict[BodyPart, bytes]]:
        given = (workspace_id, encode(list(run_ids)), encode(list(parts)))
        found: dict[str, dict[BodyPart, bytes]] = {}
        for run_id, part, body in await self._database.read(lambda c: c.execute(_BODIES, given).fetchall()):
            found.setdefault(run_id, {})[part] = body
        return found

    async def _runs_where(self, column: str, workspace_id: str, values: Collection[str]) -> list[Run]:
        sql = f"SELECT document FROM runs WHERE workspace_id = ? AND {column} IN (SELECT value FROM json_each(?))"  # noqa: S608  the column is ours
        given = (workspace_id, encode(list(values)))
        rows = await self._database.read(lambda c: c.execute(sql, given).fetchall())
        return [load_run(text) for (text,) in rows]


def _rows(runs: Sequence[StoredRun]) -> tuple[list[tuple[Any, ...]], list[tuple[str, str, BodyPart, bytes]]]:
    """Those of the runs, in a version that no other write has, and those of their bodies."""
    version = uuid4().hex
    bodies = [_body(stored, *one) for stored in runs for one in stored.bodies.items()]
    return [(*_row(stored.run), version) for stored in runs], bodies


def _body(stored: StoredRun, part: BodyPart, body: bytes) -> tuple[str, str, BodyPart, bytes]:
    return stored.run.workspace_id, stored.run.id, part, body


def _row(run: Run) -> tuple[Any, ...]:
    root = run.parent_run_id is None
    return (
        run.workspace_id,
        run.id,
        run.project_id,
        run.trace_id,
        root,
        run.start_time,
        run.received_at,
        dump_run(run),
        *indexed(run).values(),
    )
