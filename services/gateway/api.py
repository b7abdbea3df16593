"""The HTTP API, after LangSmith's as its official clients use it, under the three prefixes that they call."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.wire import job_created, job_detail, project_body
from shared.bus import Publish
from shared.ending import now
from shared.errors import InsightsError, RefusedError, UnavailableError, UsageError
from shared.health import Check, health_routes
from shared.ingest import ingest
from shared.job_config import JobConfig, sentence
from shared.jobs import NAMESPACE, announce_job, name_uuid, new_job
from shared.models import DEFAULT_WORKSPACE, Job, Project
from shared.store import Store
from shared.traces.parsing import parse
from shared.traces.record import NotARecordError, RawRun, run_records
from shared.wording import clean

PREFIXES = ("", "/api", "/api/v1")
BODY_LENGTH = 64 * 1024 * 1024
JOB_LENGTH = 1024 * 1024
NAME_LENGTH = 255
REASONS = 100
OPERATIONS: tuple[Literal["run", "post", "patch"], ...] = ("run", "post", "patch")  # `run` is ours: it replaces

routes = APIRouter()


class ProjectCreate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    id: UUID | None = None


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def publish_of(request: Request) -> Publish:
    publish: Publish = request.app.state.publish
    return publish


StoreDep = Annotated[Store, Depends(store_of)]
PublishDep = Annotated[Publish, Depends(publish_of)]


def make_app(store: Store, publish: Publish, check: Check) -> FastAPI:
    app = FastAPI(title="Insights", docs_url=None, redoc_url=None)
    app.state.store, app.state.publish = store, publish
    app.state.ingesting = asyncio.Lock()
    app.add_exception_handler(InsightsError, _say)
    for prefix in PREFIXES:
        app.include_router(routes, prefix=prefix)
    app.router.routes.extend(health_routes(check))
    return app


async def _say(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as HTTP: 400 for what the caller can mend, 503 for what is away."""
    away = isinstance(error, UnavailableError | RefusedError)
    return JSONResponse({"detail": str(error)}, 503 if away else 400)


async def _json(request: Request, limit: int) -> Any:
    """The body, read with Python's JSON, which takes what clients send: NaN, lone surrogates, big integers."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413, f"The body is over {limit:,} bytes: send it in parts.")
    try:
        return await asyncio.to_thread(parse, bytes(body) or b"{}")
    except NotARecordError as error:
        raise HTTPException(422, f"The body is not JSON: {error}") from error


async def _project(store: Store, project_id: UUID) -> Project:
    project = await store.project(DEFAULT_WORKSPACE, str(project_id))
    if project is None:
        raise HTTPException(404, f"There is no project {project_id}.")
    return project


@routes.get("/sessions")
async def list_projects(store: StoreDep, name: str) -> list[dict[str, Any]]:
    project = await store.project_named(DEFAULT_WORKSPACE, name)
    return [project_body(project)] if project else []


@routes.post("/sessions", status_code=200)
async def create_project(request: Request, store: StoreDep, upsert: bool = False) -> dict[str, Any]:
    try:
        wanted = ProjectCreate.model_validate(await _json(request, JOB_LENGTH))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    existing = await store.project_named(DEFAULT_WORKSPACE, wanted.name)
    if existing is not None and not upsert:
        raise HTTPException(409, f"There is a project of the name {wanted.name!r}: choose another, or upsert=true.")
    project = existing or await ensure_project(store, wanted.name, wanted.id)
    if project.name != wanted.name:
        raise HTTPException(409, f"The id {wanted.id} is that of the project {project.name!r}: choose another.")
    return project_body(project)


async def ensure_project(store: Store, name: str, project_id: UUID | None = None) -> Project:
    """The project of this name, made if there is none. Traces name it: any text of any length comes in."""
    name = clean(name)[:NAME_LENGTH]
    found = await store.project_named(DEFAULT_WORKSPACE, name)
    identity = str(project_id) if project_id else name_uuid("project", DEFAULT_WORKSPACE, name)
    made = Project(workspace_id=DEFAULT_WORKSPACE, id=identity, name=name, created_at=now())
    return found or await store.insert_project(made)


@routes.post("/runs/batch", status_code=202)
async def ingest_runs(request: Request, store: StoreDep) -> dict[str, Any]:
    """Runs as LangSmith's clients send them; durable when this answers."""
    body = await _json(request, BODY_LENGTH)
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
            project = await ensure_project(store, name)
            count += (await ingest(store, DEFAULT_WORKSPACE, project.id, runs, received_at=now())).runs
    return {"runs": count, "refused": len(refused), "reasons": refused[:REASONS]}


def _listed(body: Mapping[str, Any], operation: str) -> list[dict[str, Any]]:
    listed: Any = body.get(operation) or []
    if not isinstance(listed, list) or not all(isinstance(fields, dict) for fields in listed):
        raise HTTPException(422, f"`{operation}` must be a list of runs.")
    return list(listed)


@routes.post("/sessions/{project_id}/insights")
async def create_job(project_id: UUID, request: Request, store: StoreDep, publish: PublishDep) -> dict[str, Any]:
    """Store a job and announce it; what cannot be announced now is announced by the outbox. Never 5xx once stored."""
    project = await _project(store, project_id)
    body = await _json(request, JOB_LENGTH)
    try:
        config = JobConfig.model_validate(body)
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    key = request.headers.get("Idempotency-Key")
    job_id = uuid5(NAMESPACE, f"{project.id}/{key}") if key else uuid4()
    try:
        job = new_job(project, str(job_id), config)
    except UsageError as error:
        raise HTTPException(422, str(error)) from error
    if not await store.insert_job(job):
        job = await store.job(job.workspace_id, job.id) or job
    if not job.announced:
        await _announce(store, publish, job)
    return job_created(job)


async def _announce(store: Store, publish: Publish, job: Job) -> None:
    try:
        await announce_job(store, publish, job)
    except (UnavailableError, RefusedError):
        return  # the outbox: handlers.announce_jobs


@routes.get("/sessions/{project_id}/insights/{job_id}")
async def read_job(project_id: UUID, job_id: UUID, store: StoreDep) -> dict[str, Any]:
    job = await store.job(DEFAULT_WORKSPACE, str(job_id))
    if job is None or job.project_id != str(project_id):
        raise HTTPException(404, f"There is no job {job_id} in project {project_id}.")
    return await job_detail(store, job)
