"""The tables of the SQLite store. JSON columns are ASCII (`documents.py`).

`features` are apart from `items`, since SQLite writes a whole row again when one column changes. The index
`items_by_state` alone answers how many items of a job are in which state, and which come next.
`signing_keys` has at most one row; `checks` has one, which each check of the store writes.
"""

import sqlite3

from shared.store.documents import load_run
from shared.store.queries import indexed

SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (
    workspace_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL, source TEXT,
    description TEXT, extra TEXT, end_time TEXT,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX IF NOT EXISTS projects_by_name ON projects (workspace_id, name, created_at, id);

CREATE TABLE IF NOT EXISTS runs (
    workspace_id TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT NOT NULL, trace_id TEXT NOT NULL,
    root INTEGER NOT NULL, start_time INTEGER, received_at INTEGER NOT NULL, document TEXT NOT NULL,
    time INTEGER, status TEXT, run_type TEXT, name TEXT, thread_id TEXT, version TEXT,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX IF NOT EXISTS runs_by_trace ON runs (workspace_id, trace_id);

CREATE TABLE IF NOT EXISTS bodies (
    workspace_id TEXT NOT NULL, run_id TEXT NOT NULL, part TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, run_id, part)
);

CREATE TABLE IF NOT EXISTS jobs (
    workspace_id TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT NOT NULL, name TEXT NOT NULL,
    created_at INTEGER NOT NULL, config TEXT NOT NULL, window_start TEXT, window_end TEXT, received_before TEXT,
    answers_in TEXT,
    state TEXT NOT NULL, error TEXT, announced INTEGER NOT NULL, requested TEXT, matched TEXT, unfinished TEXT,
    sampled TEXT, fence INTEGER, ended_at TEXT, config_id TEXT, decisions TEXT, shape TEXT,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX IF NOT EXISTS jobs_by_project ON jobs (workspace_id, project_id, created_at, id);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, created_at, id);
CREATE INDEX IF NOT EXISTS jobs_unannounced ON jobs (created_at, id) WHERE announced = 0;

CREATE TABLE IF NOT EXISTS plans (
    workspace_id TEXT NOT NULL, job_id TEXT NOT NULL, document BLOB NOT NULL,
    PRIMARY KEY (workspace_id, job_id)
);

CREATE TABLE IF NOT EXISTS items (
    workspace_id TEXT NOT NULL, job_id TEXT NOT NULL, id TEXT NOT NULL, run_ids TEXT NOT NULL, thread_id TEXT,
    source_id TEXT, state TEXT NOT NULL, reason TEXT, content_hash TEXT, summary TEXT, attributes TEXT, draft TEXT,
    unknown TEXT, quotes TEXT, quotes_dropped TEXT, unread TEXT, facts TEXT,
    leaf TEXT, place INTEGER, path TEXT, confidence TEXT, unusual TEXT, effort TEXT, fence INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, job_id, id)
);
CREATE INDEX IF NOT EXISTS items_by_state ON items (workspace_id, job_id, state, id);

CREATE TABLE IF NOT EXISTS features (
    workspace_id TEXT NOT NULL, job_id TEXT NOT NULL, item_id TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, job_id, item_id)
);

CREATE TABLE IF NOT EXISTS leases (
    name TEXT PRIMARY KEY, owner TEXT, until INTEGER NOT NULL, fence INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS reports (
    workspace_id TEXT NOT NULL, job_id TEXT NOT NULL, fence INTEGER NOT NULL, document BLOB NOT NULL,
    PRIMARY KEY (workspace_id, job_id, fence)
);

CREATE TABLE IF NOT EXISTS answers (
    workspace_id TEXT NOT NULL, key TEXT NOT NULL, stage TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, key)
);

CREATE TABLE IF NOT EXISTS spending (
    workspace_id TEXT NOT NULL, job_id TEXT NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL,
    calls INTEGER NOT NULL, kept INTEGER NOT NULL, input INTEGER NOT NULL, cached INTEGER NOT NULL,
    output INTEGER NOT NULL, estimated INTEGER NOT NULL, cut INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, job_id, stage, model)
);

CREATE TABLE IF NOT EXISTS workspaces (id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS api_keys (
    workspace_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, digest TEXT PRIMARY KEY,
    hint TEXT NOT NULL, created_at INTEGER NOT NULL, last_used INTEGER, revoked_at INTEGER
);
CREATE INDEX IF NOT EXISTS api_keys_by_workspace ON api_keys (workspace_id, created_at, id);

CREATE TABLE IF NOT EXISTS secrets (
    workspace_id TEXT NOT NULL, key TEXT NOT NULL, sealed TEXT, configs TEXT NOT NULL,
    PRIMARY KEY (workspace_id, key)
);

CREATE TABLE IF NOT EXISTS attachments (
    workspace_id TEXT NOT NULL, run_id TEXT NOT NULL, name TEXT NOT NULL, mime_type TEXT NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, run_id, name)
);

CREATE TABLE IF NOT EXISTS signing_keys (id INTEGER PRIMARY KEY, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    workspace_id TEXT NOT NULL, job_id TEXT NOT NULL, fence INTEGER NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, job_id, fence, name)
);

CREATE TABLE IF NOT EXISTS configs (
    workspace_id TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT,
    schedule_cron TEXT, config TEXT NOT NULL, created_at INTEGER NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX IF NOT EXISTS configs_by_project ON configs (workspace_id, project_id, created_at, id);

CREATE TABLE IF NOT EXISTS feedback (
    workspace_id TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, run_id TEXT, trace_id TEXT, project_id TEXT,
    created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL, source TEXT NOT NULL, score TEXT, value TEXT,
    comment TEXT, correction TEXT, feedback_source TEXT, feedback_config TEXT, feedback_group_id TEXT,
    comparative_experiment_id TEXT, extra TEXT, error TEXT,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX IF NOT EXISTS feedback_by_time ON feedback (workspace_id, created_at, id);
CREATE INDEX IF NOT EXISTS feedback_by_run ON feedback (workspace_id, run_id, created_at, id);
CREATE INDEX IF NOT EXISTS feedback_by_project ON feedback (workspace_id, project_id, created_at, id);

CREATE TABLE IF NOT EXISTS checks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
"""

_RUN_INDEXES = """
DROP INDEX IF EXISTS root_runs;
CREATE INDEX IF NOT EXISTS roots_by_id ON runs
    (workspace_id, project_id, id, start_time, received_at, time, status, run_type, name, thread_id) WHERE root = 1;
CREATE INDEX IF NOT EXISTS runs_by_time ON runs
    (workspace_id, project_id, time, id, root, start_time, received_at, status, run_type, name, thread_id);
CREATE INDEX IF NOT EXISTS runs_by_status ON runs
    (workspace_id, project_id, status, time, id, root) WHERE status <> '"success"';
CREATE INDEX IF NOT EXISTS runs_by_thread ON runs
    (workspace_id, project_id, thread_id, time, id, root) WHERE thread_id IS NOT NULL;
"""

_ADDED = {  # columns that files of earlier versions lack
    "jobs": ("answers_in", "config_id", "decisions", "shape"),
    "projects": ("description", "extra", "end_time"),
    "runs": ("version", "time INTEGER", "status", "run_type", "name", "thread_id"),
    "items": ("unusual", "effort", "draft", "unknown", "quotes", "quotes_dropped", "unread", "place INTEGER"),
    "spending": ("cut INTEGER NOT NULL DEFAULT 0",),
}
_INDEXES_OF_ADDED = (
    "CREATE INDEX IF NOT EXISTS items_by_place ON items (workspace_id, job_id, place) WHERE place IS NOT NULL",
)


def add_columns(connection: sqlite3.Connection) -> None:
    """What this version has beyond the file; and the indexes, which name the columns."""
    for table, columns in _ADDED.items():
        has = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
        for column in columns:
            name, _, kind = column.partition(" ")
            if name not in has:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind or 'TEXT'}")
    for index in _INDEXES_OF_ADDED:
        connection.execute(index)
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'runs_by_time'").fetchone():
        _fill_in(connection)
        for sql in filter(str.strip, _RUN_INDEXES.split(";")):
            connection.execute(sql)


def _fill_in(connection: sqlite3.Connection) -> None:
    """The columns by which runs are found, of runs that an earlier version saved."""
    sql = "UPDATE runs SET time = ?, status = ?, run_type = ?, name = ?, thread_id = ? WHERE rowid = ?"
    page = "SELECT rowid, document FROM runs WHERE time IS NULL AND rowid > ? ORDER BY rowid LIMIT 1000"
    after = -1
    while found := connection.execute(page, (after,)).fetchall():
        rows = [(*indexed(load_run(text)).values(), rowid) for rowid, text in found]
        connection.executemany(sql, rows)
        after = found[-1][0]
