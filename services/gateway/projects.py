"""Projects: LangSmith's API calls them sessions."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.access import Reader, StoreDep, Writer
from services.gateway.bodies import read_json
from services.gateway.wire import project_body
from shared.ending import now
from shared.job_config import sentence
from shared.jobs import name_uuid
from shared.models import Project
from shared.store import Store
from shared.wording import clean

NAME_LENGTH = 255

routes = APIRouter()


class ProjectCreate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    id: UUID | None = None


@routes.get("/sessions")
async def list_projects(caller: Reader, store: StoreDep, name: str) -> list[dict[str, Any]]:
    project = await store.project_named(caller.workspace_id, name)
    return [project_body(project)] if project else []


@routes.post("/sessions", status_code=200)
async def create_project(request: Request, caller: Writer, store: StoreDep, upsert: bool = False) -> dict[str, Any]:
    try:
        wanted = ProjectCreate.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    existing = await store.project_named(caller.workspace_id, wanted.name)
    if existing is not None and not upsert:
        raise HTTPException(409, f"There is a project of the name {wanted.name!r}: choose another, or upsert=true.")
    project = existing or await ensure_project(store, caller.workspace_id, wanted.name, wanted.id)
    if project.name != wanted.name:
        raise HTTPException(409, f"The id {wanted.id} is that of the project {project.name!r}: choose another.")
    return project_body(project)


async def find_project(store: Store, workspace_id: str, project_id: UUID) -> Project:
    """HTTPException 404 where the workspace has none of this id."""
    project = await store.project(workspace_id, str(project_id))
    if project is None:
        raise HTTPException(404, f"There is no project {project_id}.")
    return project


async def ensure_project(store: Store, workspace_id: str, name: str, project_id: UUID | None = None) -> Project:
    """The project of this name, made if there is none. Traces name it: any text of any length comes in."""
    name = clean(name)[:NAME_LENGTH]
    found = await store.project_named(workspace_id, name)
    identity = str(project_id) if project_id else name_uuid("project", workspace_id, name)
    made = Project(workspace_id=workspace_id, id=identity, name=name, created_at=now())
    return found or await store.insert_project(made)
