"""Runs as LangSmith's clients send them; durable when this answers."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request

from services.gateway.access import StoreDep, Writer
from services.gateway.bodies import RUNS_BYTES, read_json
from services.gateway.projects import ensure_project
from shared.ending import now
from shared.ingest import ingest
from shared.traces.record import NotARecordError, RawRun, run_records

REASONS = 100
OPERATIONS: tuple[Literal["run", "post", "patch"], ...] = ("run", "post", "patch")  # `run` is ours: it replaces

routes = APIRouter()


@routes.post("/runs/batch", status_code=202)
async def ingest_runs(request: Request, caller: Writer, store: StoreDep) -> dict[str, Any]:
    body = await read_json(request, RUNS_BYTES)
    if not isinstance(body, Mapping):
        raise HTTPException(422, 'Expected {"post": [runs], "patch": [runs]}.')
    by_project: dict[str, list[RawRun]] = {}
    refused: list[str] = []
    for operation in OPERATIONS:
        for fields in _listed(body, operation):
            try:
                name = str(fields.get("session_name") or "default")
                by_project.setdefault(name, []).extend(run_records(fields, operation))
            except NotARecordError as error:
                refused.append(str(error))
    count = 0
    async with request.app.state.ingesting:  # two calls at once, each with a half of one run, would lose one
        for name, runs in by_project.items():
            project = await ensure_project(store, caller.workspace_id, name)
            count += (await ingest(store, caller.workspace_id, project.id, runs, received_at=now())).runs
    return {"runs": count, "refused": len(refused), "reasons": refused[:REASONS]}


def _listed(body: Mapping[str, Any], operation: str) -> list[dict[str, Any]]:
    listed: Any = body.get(operation) or []
    if not isinstance(listed, list) or not all(isinstance(fields, dict) for fields in listed):
        raise HTTPException(422, f"`{operation}` must be a list of runs.")
    return list(listed)
