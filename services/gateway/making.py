"""A request for a report becomes a job: its saved configuration, its engine, its draft and its unit are settled."""

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request

from services.gateway.configs import find_config
from services.gateway.engine import choose_engine
from services.gateway.guided import drafted, ended_runs, see, threaded, without_a_model
from services.gateway.job_body import job_config, user_context
from shared.addresses import Guard
from shared.clients import Clients
from shared.config import Settings
from shared.drafting.look import THREADED
from shared.errors import UsageError
from shared.job_config import JobConfig
from shared.jobs import new_job
from shared.models import Job, Project
from shared.store import Store

WINDOW = frozenset({"last_n_hours", "start_time", "end_time"})
DRAFTED = ("name", "summary_prompt", "attribute_schemas", "unit")


async def make_job(request: Request, store: Store, project: Project, asked: Mapping[str, Any], job_id: str) -> Job:
    """The job that `asked` (`job_body.asked`) describes, not yet stored. HTTPException 404 or 422 says what is wrong.

    What was left to us to decide is in its `decisions`.
    """
    settings: Settings = request.app.state.settings
    values = await with_saved(store, project, asked)
    chosen = await choose_engine(store, project.workspace_id, values)
    decisions = [chosen.why]
    values["engine"] = chosen.engine
    if chosen.base_url is not None:
        values.setdefault("base_url", chosen.base_url)
    if user_context(values) and not values.keys() & {"summary_prompt", "attribute_schemas"}:
        values = await _guided(store, project, values, decisions)
    elif "unit" not in values and threaded(await ended_runs(store, project)) >= THREADED:
        values["unit"] = "thread"
    if values.get("unit") == "thread" and "unit" not in asked:
        decisions.append("Unit thread: most of the project's traces are one of several of a conversation.")
    config = job_config(values, settings.max_sample)
    await _check_address(request, config)
    if config.engine == "model":
        await _require_endpoint(request, project.workspace_id, config)
    try:
        job = new_job(project, job_id, config)
    except UsageError as error:
        raise HTTPException(422, str(error)) from error
    config_id = str(asked["config_id"]) if "config_id" in asked else None
    return job.model_copy(update={"decisions": tuple(decisions), "config_id": config_id})


async def with_saved(store: Store, project: Project, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for over what is saved under `config_id`; a window is replaced whole."""
    if "config_id" not in asked:
        return dict(asked)
    saved = await find_config(store, project, asked["config_id"])
    kept = {"name": saved.name, **{name: one for name, one in saved.config.items() if one is not None}}
    if asked.keys() & WINDOW:
        kept = {name: one for name, one in kept.items() if name not in WINDOW}
    return kept | dict(asked)


async def _guided(store: Store, project: Project, values: Mapping[str, Any], decisions: list[str]) -> dict[str, Any]:
    found = drafted(user_context(values), await see(store, project))
    if values["engine"] == "local":
        found = without_a_model(found)
    found = {name: found[name] for name in DRAFTED if name in found}
    attributes = ", ".join(found["attribute_schemas"]) or "none"
    decisions.append(f"Drafted by rules from what you want to learn; attributes: {attributes}.")
    return {**found, **values}


async def _check_address(request: Request, config: JobConfig) -> None:
    """HTTPException 422 where the job's endpoint is a machine that it may not have us connect to."""
    if config.base_url is None:
        return
    guard: Guard = request.app.state.guard
    try:
        await guard.check(config.base_url)
    except UsageError as error:
        raise HTTPException(422, str(error)) from error


async def _require_endpoint(request: Request, workspace_id: str, config: JobConfig) -> None:
    """HTTPException 422 where this process would ask the model, and nobody said where one is."""
    settings: Settings = request.app.state.settings
    clients: Clients | None = request.app.state.clients
    if clients is None or settings.bus != "local" or await clients.known(workspace_id, config.base_url):
        return
    raise HTTPException(
        422,
        "The engine `model` needs a model: store a key under workspaces/current/secrets, start Insights with "
        "OPENAI_API_KEY or OPENAI_BASE_URL set, or leave out `engine`.",
    )
