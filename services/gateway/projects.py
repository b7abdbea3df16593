"""Projects: LangSmith's API calls them sessions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.access import Admin, Reader, StoreDep, Writer
from services.gateway.answer import Answer
from services.gateway.bodies import Time, read_json
from services.gateway.wire_projects import project_body
from shared.ending import now
from shared.filters.values import UnfitError, read_pairs, same
from shared.job_config import sentence
from shared.jobs import name_uuid
from shared.models import Project
from shared.removing import remove_project
from shared.run_stats import project_stats
from shared.store import Store
from shared.wording import clean

NAME_LENGTH = 255
PAGE = 100
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]

routes = APIRouter()


class ProjectChange(BaseModel):
    """Null and what is left out change nothing: LangSmith's clients send both."""

    model_config = ConfigDict(extra="ignore")

    name: Name | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    extra: dict[str, Any] | None = None
    end_time: Time | None = None

    @property
    def changes(self) -> dict[str, Any]:
        return {name: value for name in ProjectChange.model_fields if (value := getattr(self, name)) is not None}


class ProjectCreate(ProjectChange):
    name: Name
    id: UUID | None = None


class ProjectList(BaseModel):
    """The query of GET /sessions. `metadata` is JSON, pairs that must be in `extra.metadata`."""

    model_config = ConfigDict(extra="ignore")

    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    offset: int = Field(default=0, ge=0)
    id: list[UUID] = Field(default_factory=list)
    name: str | None = None
    name_contains: str | None = None
    metadata: str | None = None
    reference_dataset: list[str] = Field(default_factory=list)
    sort_by: str = "start_time"
    sort_by_desc: bool = True
    include_stats: bool = False

    def chosen(self, projects: list[Project]) -> list[Project]:
        """The page of these, which are sorted newest first."""
        ids = {str(one) for one in self.id}
        wanted = _pairs(self.metadata)
        part = (self.name_contains or "").casefold()
        found = [
            project
            for project in projects
            if (not ids or project.id in ids)
            and self.name in (None, project.name)
            and part in project.name.casefold()
            and not self.reference_dataset
            and _has(project, wanted)
        ]
        if self.sort_by == "name":
            found.sort(key=lambda project: project.name, reverse=self.sort_by_desc)
        elif not self.sort_by_desc:
            found.reverse()
        return found[self.offset : self.offset + self.limit]


@routes.get("/sessions")
async def list_projects(caller: Reader, store: StoreDep, query: Annotated[ProjectList, Query()]) -> Response:
    if query.name is not None and not query.id:  # what clients ask before each call
        named = await store.project_named(caller.workspace_id, query.name)
        projects = [named] if named else []
    else:
        projects = await store.projects(caller.workspace_id)
    return Answer([await _shown(store, one, query.include_stats) for one in query.chosen(projects)])


@routes.post("/sessions", status_code=200)
async def create_project(request: Request, caller: Writer, store: StoreDep, upsert: bool = False) -> Response:
    wanted = await _read(request, ProjectCreate)
    existing = await store.project_named(caller.workspace_id, wanted.name)
    if existing is not None and not upsert:
        raise HTTPException(409, f"There is a project of the name {wanted.name!r}: choose another, or upsert=true.")
    project = existing or await ensure_project(store, caller.workspace_id, wanted.name, wanted.id)
    if project.name != wanted.name:
        raise HTTPException(409, f"The id {wanted.id} is that of the project {project.name!r}: choose another.")
    return Answer(project_body(await _changed(store, project, wanted.changes)))


@routes.get("/sessions/{project_id}")
async def read_project(project_id: UUID, caller: Reader, store: StoreDep, include_stats: bool = False) -> Response:
    return Answer(await _shown(store, await find_project(store, caller.workspace_id, project_id), include_stats))


@routes.patch("/sessions/{project_id}")
async def update_project(project_id: UUID, request: Request, caller: Writer, store: StoreDep) -> Response:
    project = await find_project(store, caller.workspace_id, project_id)
    wanted = await _read(request, ProjectChange)
    if wanted.name not in (None, project.name) and await store.project_named(caller.workspace_id, wanted.name or ""):
        raise HTTPException(409, f"There is a project of the name {wanted.name!r}: choose another.")
    return Answer(project_body(await _changed(store, project, wanted.changes)))


@routes.delete("/sessions/{project_id}", status_code=202)
async def delete_project(project_id: UUID, caller: Admin, store: StoreDep) -> dict[str, str]:
    """With its runs, jobs and reports."""
    project = await find_project(store, caller.workspace_id, project_id)
    await remove_project(store, project.workspace_id, project.id)
    return {"id": project.id, "message": "The project is deleted, with its runs, jobs and reports."}


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


async def _shown(store: Store, project: Project, include_stats: bool) -> dict[str, Any]:
    return project_body(project) | (await project_stats(store, project) if include_stats else {})


async def _changed(store: Store, project: Project, changes: dict[str, Any]) -> Project:
    if changes:
        await store.update_project(project.workspace_id, project.id, **changes)
    return project.model_copy(update=changes)


async def _read(request: Request, kind: type[Any]) -> Any:
    try:
        return kind.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error


def _pairs(metadata: str | None) -> dict[str, Any]:
    try:
        return read_pairs(metadata) if metadata else {}
    except UnfitError as error:
        raise HTTPException(422, 'metadata must be JSON, like {"env": "prod"}.') from error


def _has(project: Project, pairs: dict[str, Any]) -> bool:
    metadata = (project.extra or {}).get("metadata") if pairs else {}
    return isinstance(metadata, dict) and all(key in metadata and same(metadata[key], pairs[key]) for key in pairs)
