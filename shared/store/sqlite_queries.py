"""Finding runs in SQLite: the index that fits is named, since SQLite's own choice changes with what the file holds."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from shared.models import Run
from shared.sqlite import Database
from shared.store.documents import encode, load_run
from shared.store.queries import TEXTS, Place, Wanted, text_key

Term = tuple[str, dict[str, Any]]


class SqliteQueries:
    _database: Database

    async def find_runs(
        self, wanted: Wanted, *, after: Place | None = None, newest_first: bool = True, limit: int = 1_000
    ) -> list[Run]:
        terms = list(_terms(wanted))
        sign, order = ("<", "DESC") if newest_first else (">", "ASC")
        if after is not None:
            place = {"after": after[0], "after_id": after[1]}
            terms.append((f"time {sign}= :after AND (time, id) {sign} (:after, :after_id)", place))
        where, given = _where(terms)
        sql = (
            f"SELECT document FROM runs INDEXED BY {_index(wanted)} WHERE {where}"  # noqa: S608  no input in it
            f" ORDER BY time {order}, id {order} LIMIT {int(limit)}"
        )

        def work(connection: sqlite3.Connection) -> list[Run]:
            return [load_run(text) for (text,) in connection.execute(sql, given)]

        return await self._database.read(work)

    async def count_runs(self, wanted: Wanted) -> int:
        where, given = _where(list(_terms(wanted)))
        index = "roots_by_id" if wanted.root and wanted.trace_id is None else _index(wanted)
        sql = f"SELECT count(*) FROM runs INDEXED BY {index} WHERE {where}"  # noqa: S608  no input in it
        return await self._database.read(lambda c: int(c.execute(sql, given).fetchone()[0]))


def _index(wanted: Wanted) -> str:
    if wanted.trace_id is not None:
        return "runs_by_trace"
    if wanted.thread_id is not None and len(wanted.thread_id) == 1:
        return "runs_by_thread"
    return "runs_by_status" if _is_rare(wanted) else "runs_by_time"


def _is_rare(wanted: Wanted) -> bool:
    """Whether a status is wanted of which an index of its own holds the runs."""
    return wanted.status is not None and len(wanted.status) == 1 and "success" not in wanted.status


def _terms(wanted: Wanted) -> Iterator[Term]:
    yield "workspace_id = :workspace_id", {"workspace_id": wanted.workspace_id}
    if wanted.project_id is not None:
        yield "project_id = :project_id", {"project_id": wanted.project_id}
    if wanted.trace_id is not None:
        yield "trace_id = :trace_id", {"trace_id": wanted.trace_id}
    if wanted.root is not None:
        yield ("root = 1" if wanted.root else "root = 0"), {}
    if wanted.earliest is not None:
        yield "time >= :earliest AND start_time >= :earliest", {"earliest": wanted.earliest}
    if wanted.latest is not None:
        yield "time <= :latest AND start_time <= :latest", {"latest": wanted.latest}
    if wanted.received_before is not None:
        yield "received_at < :received_before", {"received_before": wanted.received_before}
    if wanted.ended:
        yield "status IS NOT :pending", {"pending": text_key("pending")}
    if _is_rare(wanted):
        yield "status <> '\"success\"'", {}
    for name in TEXTS:
        if (texts := getattr(wanted, name)) is not None:
            yield _among(name, [text_key(text) for text in texts])


def _among(name: str, keys: list[str | None]) -> Term:
    if len(keys) == 1:
        return f"{name} = :{name}", {name: keys[0]}
    return f"{name} IN (SELECT value FROM json_each(:{name}))", {name: encode(keys)}  # noqa: S608  a field's name


def _where(terms: list[Term]) -> tuple[str, dict[str, Any]]:
    given: dict[str, Any] = {}
    for _, values in terms:
        given |= values
    return " AND ".join(sql for sql, _ in terms), given
