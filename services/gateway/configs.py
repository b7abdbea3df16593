"""Saved configurations of jobs."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.gateway.access import Admin, Reader, StoreDep, Writer
from services.gateway.answer import Answer
from services.gateway.bodies import read_json
from services.gateway.job_body import asked, job_config
from services.gateway.prebuilt import prebuilt
from services.gateway.projects import find_project
from shared.ending import now
from shared.errors import UsageError
from shared.job_config import sentence
from shared.jobs import new_job
from shared.models import Project, SavedConfig
from shared.store import Store

ALWAYS = (
    "name", "hierarchy", "partitions", "sample", "summary_prompt", "filter", "attribute_schemas",
)  # fmt: skip
TRIES = 20

routes = APIRouter()

Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Text = Annotated[str, StringConstraints(max_length=2_000)]


class ConfigCreate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: Name
    config: dict[str, Any] = Field(default_factory=dict)
    description: Text | None = None
    schedule_cron: Annotated[str, StringConstraints(max_length=255)] | None = None


class ConfigUpdate(ConfigCreate):
    """What is left out stays; null clears description and schedule_cron."""

    name: Name | None = None  # type: ignore[assignment]
    config: dict[str, Any] | None = None  # type: ignore[assignment]


@routes.get("/sessions/{project_id}/insights/configs", response_model=None)
async def list_configs(project_id: UUID, caller: Reader, store: StoreDep, include_prebuilts: bool = False) -> Answer:
    project = await find_project(store, caller.workspace_id, project_id)
    found = [config_body(one) for one in await store.configs(caller.workspace_id, project.id)]
    if include_prebuilts:
        found = [config_body(one, True) for one in prebuilt(caller.workspace_id, project.id)] + found
    return Answer({"configs": found})


@routes.post("/sessions/{project_id}/insights/configs", response_model=None)
async def create_config(project_id: UUID, request: Request, caller: Writer, store: StoreDep) -> Answer:
    project = await find_project(store, caller.workspace_id, project_id)
    wanted = await _read(ConfigCreate, request)
    made = SavedConfig(
        workspace_id=caller.workspace_id,
        id=str(uuid4()),
        project_id=project.id,
        name=wanted.name,
        description=wanted.description,
        schedule_cron=wanted.schedule_cron,
        config=_checked(request, project, wanted.config),
        created_at=now(),
    )
    await store.insert_config(made)
    return Answer(config_body(made))


@routes.patch("/sessions/{project_id}/insights/configs/{config_id}", response_model=None)
async def update_config(project_id: UUID, config_id: UUID, request: Request, caller: Writer, store: StoreDep) -> Answer:
    project = await find_project(store, caller.workspace_id, project_id)
    wanted = await _read(ConfigUpdate, request)
    given = {name: getattr(wanted, name) for name in wanted.model_fields_set & ConfigUpdate.model_fields.keys()}
    changes = {name: one for name, one in given.items() if one is not None or name not in ("name", "config")}
    if "config" in changes:
        changes["config"] = _checked(request, project, changes["config"])
    for _ in range(TRIES):
        old = await _own(store, project, config_id)
        new = old.model_copy(update={**changes, "version": old.version + 1})
        if await store.replace_config(new, old.version):
            return Answer(config_body(new))
    raise HTTPException(409, "Others change this configuration at the same time: look at it, and try again.")


@routes.delete("/sessions/{project_id}/insights/configs/{config_id}", response_model=None)
async def delete_config(project_id: UUID, config_id: UUID, caller: Admin, store: StoreDep) -> Answer:
    """With its jobs and their reports."""
    project = await find_project(store, caller.workspace_id, project_id)
    saved = await _own(store, project, config_id)
    while jobs := await store.jobs(caller.workspace_id, project.id, config_id=saved.id, limit=100):
        for job in jobs:
            await store.delete_job(caller.workspace_id, job.id)
    await store.delete_config(caller.workspace_id, saved.id)
    return Answer({"id": saved.id, "message": f"The configuration {saved.name} and its reports are deleted."})


async def find_config(store: Store, project: Project, config_id: object) -> SavedConfig:
    """A saved or a prebuilt one. HTTPException 404 where the project has none of this id."""
    wanted = str(config_id).lower()
    for one in prebuilt(project.workspace_id, project.id):
        if one.id == wanted:
            return one
    found = await store.config(project.workspace_id, wanted)
    if found is None or found.project_id != project.id:
        raise HTTPException(404, f"There is no configuration {wanted[:80]} in project {project.id}.")
    return found


async def _own(store: Store, project: Project, config_id: UUID) -> SavedConfig:
    found = await find_config(store, project, config_id)
    if not found.created_at:
        raise HTTPException(409, f"{found.name} is prebuilt and stays as it is: save it under a name of your own.")
    return found


def config_body(saved: SavedConfig, is_prebuilt: bool = False) -> dict[str, Any]:
    """After LangSmith's: what is not set is null."""
    return {
        "id": saved.id,
        "name": saved.name,
        "description": saved.description,
        "schedule_cron": saved.schedule_cron,
        "prebuilt": is_prebuilt,
        "config": {**dict.fromkeys(ALWAYS), "model": "openai", **saved.config},
    }


def _checked(request: Request, project: Project, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a job could be made of. HTTPException 422 says why it could not."""
    values = asked(config)
    try:
        new_job(project, "", job_config(values, request.app.state.settings.max_sample))
    except UsageError as error:
        raise HTTPException(422, str(error)) from error
    return values


async def _read(kind: type[ConfigCreate], request: Request) -> ConfigCreate:
    try:
        return kind.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
