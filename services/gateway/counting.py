"""How many traces a job would look at, while its filter is being written."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request

from services.gateway.access import Reader, StoreDep
from services.gateway.bodies import read_json
from services.gateway.job_body import asked, job_config
from services.gateway.making import with_saved
from services.gateway.projects import find_project
from shared.config import Settings
from shared.errors import UsageError
from shared.jobs import new_job
from shared.matching import Criteria, count_matching
from shared.store.queries import Wanted

routes = APIRouter()


@routes.post("/sessions/{project_id}/insights/count")
async def count_traces(project_id: UUID, request: Request, caller: Reader, store: StoreDep) -> dict[str, Any]:
    """`count` where all are known; else `at_least` so many of `looked_at`, the newest. The body is a job's."""
    project = await find_project(store, caller.workspace_id, project_id)
    values = await with_saved(store, project, asked(await read_json(request)))
    settings: Settings = request.app.state.settings
    try:
        job = new_job(project, "", job_config(values, settings.max_sample))
    except UsageError as error:
        raise HTTPException(422, str(error)) from error
    wanted = Wanted(
        project.workspace_id,
        project.id,
        root=True,
        earliest=job.window_start,
        latest=None if job.window_end is None else job.window_end - 1,
        received_before=job.received_before,
        ended=True,
    )
    found = await count_matching(store, wanted, Criteria.read(job.config.filter))
    if found.looked_at is None:
        return {"count": found.matching}
    return {"at_least": found.matching, "looked_at": found.looked_at}
