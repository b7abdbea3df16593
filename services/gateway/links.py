"""LangSmith's link to a report, which its clients print, leads to ours."""

from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse

from services.gateway.access import Reader, StoreDep
from services.gateway.answer import Answer
from services.gateway.job_wire import job_detail
from services.gateway.jobs import find_job

routes = APIRouter()


@routes.get("/o/{tenant_id}/projects/p/{project_id}", response_model=None, include_in_schema=False)
async def follow_link(tenant_id: str, project_id: UUID, clusterJobId: UUID | None = None) -> RedirectResponse:
    """Whoever is sent on must have the right to read there: nothing is looked up here."""
    if clusterJobId is None:
        raise HTTPException(404, "This link names no report: it needs ?clusterJobId=…")
    return RedirectResponse(f"/projects/{quote(str(project_id))}/insights/{quote(str(clusterJobId))}", 307)


@routes.get("/projects/{project_id}/insights/{job_id}", response_model=None, include_in_schema=False)
async def read_report(project_id: UUID, job_id: UUID, caller: Reader, store: StoreDep) -> Answer:
    """In JSON, until there is a page."""
    return Answer(await job_detail(store, await find_job(store, caller.workspace_id, project_id, job_id)))
