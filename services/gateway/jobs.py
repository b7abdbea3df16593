"""Insights: jobs, and the reports that they make."""

from typing import Any
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, HTTPException, Request
from pydantic import ValidationError

from services.gateway.access import PublishDep, Reader, StoreDep, Writer
from services.gateway.bodies import read_json
from services.gateway.projects import find_project
from services.gateway.wire import job_created, job_detail
from shared.addresses import Guard
from shared.bus import Publish
from shared.errors import RefusedError, UnavailableError, UsageError
from shared.job_config import JobConfig, sentence
from shared.jobs import NAMESPACE, announce_job, new_job
from shared.models import Job
from shared.store import Store

routes = APIRouter()


@routes.post("/sessions/{project_id}/insights")
async def create_job(
    project_id: UUID, request: Request, caller: Writer, store: StoreDep, publish: PublishDep
) -> dict[str, Any]:
    """Store a job and announce it; what cannot be announced now is announced by the outbox. Never 5xx once stored."""
    project = await find_project(store, caller.workspace_id, project_id)
    body = await read_json(request)
    try:
        config = JobConfig.model_validate(body)
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    await _check_address(request, config)
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


async def _check_address(request: Request, config: JobConfig) -> None:
    """HTTPException 422 where the job's endpoint is a machine that it may not have us connect to."""
    if config.base_url is None:
        return
    guard: Guard = request.app.state.guard
    try:
        await guard.check(config.base_url)
    except UsageError as error:
        raise HTTPException(422, str(error)) from error


async def _announce(store: Store, publish: Publish, job: Job) -> None:
    try:
        await announce_job(store, publish, job)
    except (UnavailableError, RefusedError):
        return  # the outbox: handlers.announce_jobs


@routes.get("/sessions/{project_id}/insights/{job_id}")
async def read_job(project_id: UUID, job_id: UUID, caller: Reader, store: StoreDep) -> dict[str, Any]:
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    return await job_detail(store, job)


async def find_job(store: Store, workspace_id: str, project_id: UUID, job_id: UUID) -> Job:
    """HTTPException 404 where the project has none of this id."""
    job = await store.job(workspace_id, str(job_id))
    if job is None or job.project_id != str(project_id):
        raise HTTPException(404, f"There is no job {job_id} in project {project_id}.")
    return job
