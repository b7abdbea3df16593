"""Insights: jobs, and the reports that they make."""

from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.access import Admin, PublishDep, Reader, StoreDep, Writer
from services.gateway.answer import Answer
from services.gateway.bodies import read_json
from services.gateway.job_body import asked
from services.gateway.job_wire import job_created, job_detail, job_listed
from services.gateway.making import make_job
from services.gateway.projects import find_project
from shared.bus import Publish
from shared.ending import fail_job
from shared.errors import RefusedError, UnavailableError
from shared.job_config import sentence
from shared.jobs import NAMESPACE, announce_job
from shared.models import Job, JobState
from shared.report import status_of
from shared.store import Store

CANCELLED = "cancelled"
PAGE = 100
FARTHEST = 2**31 - 1

routes = APIRouter()

Limit = Annotated[int, Query(ge=1, le=PAGE)]
Offset = Annotated[int, Query(ge=0, le=FARTHEST)]


class Rename(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1, max_length=255)


@routes.post("/sessions/{project_id}/insights", response_model=None)
async def create_job(
    project_id: UUID, request: Request, caller: Writer, store: StoreDep, publish: PublishDep
) -> Answer:
    """Store a job and announce it; what cannot be announced now is announced by the outbox. Never 5xx once stored."""
    project = await find_project(store, caller.workspace_id, project_id)
    wanted = asked(await read_json(request))
    key = request.headers.get("Idempotency-Key")
    job_id = str(uuid5(NAMESPACE, f"{project.id}/{key}") if key else uuid4())
    job = await store.job(project.workspace_id, job_id) if key else None
    if job is None:
        job = await make_job(request, store, project, wanted, job_id)
        if not await store.insert_job(job):
            job = await store.job(job.workspace_id, job.id) or job
    if not job.announced:
        await _announce(store, publish, job)
    return Answer(job_created(job))


async def _announce(store: Store, publish: Publish, job: Job) -> None:
    try:
        await announce_job(store, publish, job)
    except (UnavailableError, RefusedError):
        return  # the outbox: handlers.announce_jobs


@routes.get("/sessions/{project_id}/insights", response_model=None)
async def list_jobs(
    project_id: UUID,
    caller: Reader,
    store: StoreDep,
    limit: Limit = PAGE,
    offset: Offset = 0,
    config_id: UUID | None = None,
) -> Answer:
    """Newest first; their reports are read one by one."""
    project = await find_project(store, caller.workspace_id, project_id)
    wanted = None if config_id is None else str(config_id)
    jobs = await store.jobs(caller.workspace_id, project.id, config_id=wanted, offset=offset, limit=limit)
    return Answer({"clustering_jobs": [job_listed(job) for job in jobs]})


@routes.get("/sessions/{project_id}/insights/{job_id}", response_model=None)
async def read_job(project_id: UUID, job_id: UUID, caller: Reader, store: StoreDep) -> Answer:
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    return Answer(await job_detail(store, job))


@routes.patch("/sessions/{project_id}/insights/{job_id}", response_model=None)
async def rename_job(project_id: UUID, job_id: UUID, request: Request, caller: Writer, store: StoreDep) -> Answer:
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    try:
        wanted = Rename.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    if not await store.rename_job(job.workspace_id, job.id, wanted.name):
        raise _absent(project_id, job_id)
    return Answer({"name": wanted.name, "status": status_of(job)})


@routes.post("/sessions/{project_id}/insights/{job_id}/cancel", response_model=None)
async def cancel_job(project_id: UUID, job_id: UUID, caller: Writer, store: StoreDep, publish: PublishDep) -> Answer:
    """Ours. The job ends at once, in `error`, for which its pollers look; one that has ended stays as it is."""
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    try:
        await fail_job(store, publish, job.workspace_id, job.id, CANCELLED)
    except (UnavailableError, RefusedError):
        job = await find_job(store, caller.workspace_id, project_id, job_id)
        if job.state is not JobState.ERROR:
            raise  # else it was cancelled, and only the news of it did not get out
    return Answer(job_created(await find_job(store, caller.workspace_id, project_id, job_id)))


@routes.delete("/sessions/{project_id}/insights/{job_id}", response_model=None)
async def delete_job(project_id: UUID, job_id: UUID, caller: Admin, store: StoreDep) -> Answer:
    """With its report; its runs stay."""
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    await store.delete_job(job.workspace_id, job.id)
    return Answer({"id": job.id, "message": "The job and its report are deleted."})


async def find_job(store: Store, workspace_id: str, project_id: UUID, job_id: UUID) -> Job:
    """HTTPException 404 where the project has none of this id."""
    job = await store.job(workspace_id, str(job_id))
    if job is None or job.project_id != str(project_id):
        raise _absent(project_id, job_id)
    return job


def _absent(project_id: UUID, job_id: UUID) -> HTTPException:
    return HTTPException(404, f"There is no job {job_id} in project {project_id}.")
