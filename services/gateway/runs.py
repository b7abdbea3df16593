"""Runs as LangSmith's clients send them; durable when this answers."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request

from services.gateway.access import Caller, StoreDep, Writer
from services.gateway.intake import taken_in
from services.gateway.multipart import boundary_of
from services.gateway.projects import ensure_project
from services.gateway.received import Received, of_batch, of_multipart
from shared.ending import now
from shared.feedback_stats import keep_feedback
from shared.ingest import Ingested, ingest
from shared.jobs import name_uuid
from shared.store import Store
from shared.traces.record import RawRun

DEFAULT_PROJECT = "default"

routes = APIRouter()


@routes.post("/runs/batch", status_code=202)
async def ingest_runs(request: Request, caller: Writer, store: StoreDep) -> dict[str, Any]:
    async with taken_in(request) as taken:
        received = of_batch(await taken.json())
        return await _keep(request, caller, store, received)


@routes.post("/runs/multipart", status_code=202)
async def ingest_parts(request: Request, caller: Writer, store: StoreDep) -> dict[str, Any]:
    """What can be kept is kept; each part that can't is counted, and the first of them have their reason told."""
    boundary = boundary_of(request.headers.get("Content-Type", ""))
    if boundary is None:
        raise HTTPException(415, "Expected multipart/form-data with its boundary in the Content-Type.")
    async with taken_in(request) as taken:
        received = await asyncio.to_thread(of_multipart, taken.body, boundary, caller.workspace_id, taken.weigh)
        return await _keep(request, caller, store, received)


@routes.post("/runs", status_code=202)
async def create_run(request: Request, caller: Writer, store: StoreDep) -> dict[str, Any]:
    received = Received()
    async with taken_in(request) as taken:
        received.add(await taken.json(), "post")
        return await _keep(request, caller, store, received)


@routes.patch("/runs/{run_id}", status_code=202)
async def update_run(run_id: str, request: Request, caller: Writer, store: StoreDep) -> dict[str, Any]:
    received = Received()
    async with taken_in(request) as taken:
        fields = await taken.json()
        received.add({**fields, "id": run_id} if isinstance(fields, dict) else fields, "patch")
        return await _keep(request, caller, store, received)


async def _keep(request: Request, caller: Caller, store: Store, received: Received) -> dict[str, Any]:
    """HTTPException 422 where nothing could be kept."""
    kept = await keep(request, caller, store, received)
    if received.refused and not (kept.runs or received.attachments or received.feedback):
        raise HTTPException(422, "; ".join(received.reasons[:5]))
    return {"runs": kept.runs, "refused": received.refused, "reasons": received.reasons}


async def keep(request: Request, caller: Caller, store: Store, received: Received) -> Ingested:
    """Attachments first: whoever sees a run finds them."""
    records = await _housed(store, caller.workspace_id, received)
    if received.attachments:
        await store.save_attachments(received.attachments)
    if received.feedback:
        await _keep_feedback(store, caller.workspace_id, received)
    default = name_uuid("project", caller.workspace_id, DEFAULT_PROJECT)
    prices = request.app.state.prices
    return await ingest(store, caller.workspace_id, default, records, received_at=now(), prices=prices)


async def _keep_feedback(store: Store, workspace_id: str, received: Received) -> None:
    """What is on a run may come before it; what is on a project may not."""
    kept = []
    for record in received.feedback:
        if record.run_id is None and not await store.project(workspace_id, record.project_id or ""):
            received.refuse(f"feedback {record.id}: there is no project {record.project_id}")
        else:
            kept.append(record)
    received.feedback = kept
    await keep_feedback(store, workspace_id, kept)


async def _housed(store: Store, workspace_id: str, received: Received) -> list[RawRun]:
    """Each record with its project, made if there is none of its name. A patch that names none leaves it as it is."""
    projects: dict[tuple[str, str], str | None] = {}
    housed = []
    for record in received.records:
        named = _project_named(record)
        if named is None:
            housed.append(record)
            continue
        if named not in projects:
            projects[named] = await _project(store, workspace_id, *named)
        if (project_id := projects[named]) is None:
            received.refuse(f"run {record.id}: there is no project {named[1][:60]}; create it with POST /sessions")
        else:
            housed.append(replace(record, project_id=project_id))
    return await _by_default(store, workspace_id, housed)


def _project_named(record: RawRun) -> tuple[str, str] | None:
    for name in ("session_id", "session_name"):
        if value := record.fields.get(name):
            return name, str(value)
    return None


async def _project(store: Store, workspace_id: str, kind: str, value: str) -> str | None:
    if kind == "session_name":
        return (await ensure_project(store, workspace_id, value)).id
    try:
        found = await store.project(workspace_id, str(UUID(value)))
    except ValueError:
        return None
    return found.id if found else None


async def _by_default(store: Store, workspace_id: str, records: list[RawRun]) -> list[RawRun]:
    """Records of runs whose project nobody knows are of the default one."""
    told = {record.id for record in records if record.project_id}
    homeless = {record.id: record.operation for record in records if record.id not in told}
    if not homeless:
        return records
    stored = await store.runs(workspace_id, homeless) if "patch" in homeless.values() else {}
    if all(operation == "patch" and run_id in stored for run_id, operation in homeless.items()):
        return records
    project = await ensure_project(store, workspace_id, DEFAULT_PROJECT)
    return [replace(one, project_id=project.id) if one.id in homeless else one for one in records]
