"""What a report would cost and what a model would be asked for it, before the start; nothing is stored or sent."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request

from services.gateway.access import Caller, Reader, StoreDep
from services.gateway.answer import Answer
from services.gateway.bodies import read_json
from services.gateway.job_body import asked
from services.gateway.making import make_job
from services.gateway.projects import find_project
from shared.estimate import Call, Estimate
from shared.forecast import Forecast
from shared.models import Item, Job
from shared.store import Store

SHOWN = 3  # traces
AT_ONCE = 2  # each reads every trace of the job's window
NOT_STORED = "not stored"  # the job's id

routes = APIRouter()


@routes.post("/sessions/{project_id}/insights/estimate", response_model=None)
async def estimate_job(project_id: UUID, request: Request, caller: Reader, store: StoreDep) -> Answer:
    """The body is that of a job. What the engine `model` would take of it, by stage; `engine` is the one it would get.

    Dollars are null where a price is unknown.
    """
    job, chosen = await _described(project_id, request, caller, store)
    async with request.app.state.forecasting:
        found = await _forecast(request).estimate(job)
    return Answer({"engine": chosen.config.engine, "decisions": list(chosen.decisions), **_estimate_body(found)})


@routes.post("/sessions/{project_id}/insights/preview", response_model=None)
async def preview_job(project_id: UUID, request: Request, caller: Reader, store: StoreDep) -> Answer:
    """The body is that of a job. What the engine `model` would be asked about the first traces of the sample."""
    job, chosen = await _described(project_id, request, caller, store)
    async with request.app.state.forecasting:
        found = await _forecast(request).preview(job, SHOWN)
    calls = [_call_body(item, call) for item, asked_ in found.first for call in asked_]
    schemas = {call.request.shape.name: call.request.shape.schema for _, made in found.first for call in made}
    return Answer({"engine": chosen.config.engine, "items": found.items, "calls": calls, "schemas": schemas})


async def _described(project_id: UUID, request: Request, caller: Caller, store: Store) -> tuple[Job, Job]:
    """The job as the engine `model` would do it, and as it would be made."""
    project = await find_project(store, caller.workspace_id, project_id)
    job = await make_job(request, store, project, asked(await read_json(request)), NOT_STORED)
    return job.model_copy(update={"config": job.config.model_copy(update={"engine": "model"})}), job


def _forecast(request: Request) -> Forecast:
    found: Forecast | None = request.app.state.forecast
    if found is None:
        raise HTTPException(501, "This gateway makes no estimates: ask one that `insights up` or `serve` started.")
    return found


def _estimate_body(found: Estimate) -> dict[str, Any]:
    return {
        "items": found.items,
        "looked_at": found.looked_at,
        "cost": found.cost,
        "worst": found.worst,
        "needed_budget": found.needed,
        "stages": [
            {
                "stage": line.stage,
                "model": line.model,
                "calls": line.calls,
                "kept": line.kept,
                "input_tokens": line.input,
                "output_tokens": line.output,
                "cost": line.cost,
            }
            for line in found.bill.lines
        ],
    }


def _call_body(item: Item, call: Call) -> dict[str, Any]:
    return {
        "run_id": item.run_ids[-1],
        "stage": call.stage.value,
        "model": call.request.model,
        "input_tokens": call.request.estimated_input(),
        "schema": call.request.shape.name,
        "messages": [{"role": message.role, "content": message.content} for message in call.request.messages],
    }
