"""Feedback on runs and projects: a run's `feedback_stats` are right when this answers."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.access import Reader, StoreDep, Writer
from services.gateway.answer import Answer
from services.gateway.bodies import read_json
from services.gateway.feedback_body import BYTES, FeedbackError, read_change, read_feedback
from services.gateway.wire_feedback import feedback_body
from shared.ending import now
from shared.feedback import FeedbackRecord, WantedFeedback
from shared.feedback_stats import count_feedback, keep_feedback
from shared.store import Store
from shared.traces.identity import run_id

PAGE = 100

routes = APIRouter()


class FeedbackList(BaseModel):
    """The query of GET /feedback. Each may come several times: any of them."""

    model_config = ConfigDict(extra="ignore")

    run: list[str] = Field(default_factory=list)
    key: list[str] = Field(default_factory=list)
    source: list[str] = Field(default_factory=list, description="types of the feedback_source")
    session: list[str] = Field(default_factory=list)
    limit: int = Field(default=PAGE, ge=1, description=f"more than {PAGE} is {PAGE}")
    offset: int = Field(default=0, ge=0, le=10**9)


@routes.post("/feedback", status_code=200)
async def create_feedback(request: Request, caller: Writer, store: StoreDep) -> Response:
    """A repeat of an id replaces it. 404 until the run or the project is there: clients come again."""
    body = await read_json(request, BYTES)
    try:
        record = read_feedback(caller.workspace_id, body, str(uuid4()), now())
    except FeedbackError as error:
        raise HTTPException(422, str(error)) from error
    await _check_subject(store, record)
    await keep_feedback(store, caller.workspace_id, [record])
    return Answer(feedback_body(await _found(store, caller.workspace_id, record.id)))


@routes.get("/feedback")
async def list_feedback(query: Annotated[FeedbackList, Query()], caller: Reader, store: StoreDep) -> Response:
    """Newest first."""
    wanted = WantedFeedback(
        caller.workspace_id, _ids(query.run), _ids(query.session), keys=query.key, sources=query.source
    )
    found = await store.feedback(wanted, offset=query.offset, limit=min(query.limit, PAGE))
    return Answer([feedback_body(one) for one in found])


@routes.get("/feedback/{feedback_id}")
async def read_one(feedback_id: str, caller: Reader, store: StoreDep) -> Response:
    return Answer(feedback_body(await _found(store, caller.workspace_id, feedback_id)))


@routes.patch("/feedback/{feedback_id}")
async def update_feedback(feedback_id: str, request: Request, caller: Writer, store: StoreDep) -> Response:
    """What is left out stays; null clears."""
    record = await _found(store, caller.workspace_id, feedback_id)
    body = await read_json(request, BYTES)
    try:
        changes = read_change(body)
    except FeedbackError as error:
        raise HTTPException(422, str(error)) from error
    await store.update_feedback(caller.workspace_id, record.id, modified_at=now(), **changes)
    await _count(store, record)
    return Answer(feedback_body(await _found(store, caller.workspace_id, record.id)))


@routes.delete("/feedback/{feedback_id}")
async def delete_feedback(feedback_id: str, caller: Writer, store: StoreDep) -> dict[str, str]:
    record = await _found(store, caller.workspace_id, feedback_id)
    await store.delete_feedback(caller.workspace_id, record.id)
    await _count(store, record)
    return {"id": record.id, "message": "The feedback is deleted."}


async def _found(store: Store, workspace_id: str, feedback_id: str) -> FeedbackRecord:
    [known] = _ids([feedback_id])
    found = (await store.feedback_by_id(workspace_id, [known])).get(known)
    if found is None:
        raise HTTPException(404, "There is no such feedback: GET /feedback lists what there is.")
    return found


async def _check_subject(store: Store, record: FeedbackRecord) -> None:
    if record.run_id is not None:
        if not await store.runs(record.workspace_id, [record.run_id]):
            raise HTTPException(404, f"There is no run {record.run_id} yet: send it first, or come again.")
    elif not await store.project(record.workspace_id, record.project_id or ""):
        raise HTTPException(404, f"There is no project {record.project_id}: create it with POST /sessions.")


async def _count(store: Store, record: FeedbackRecord) -> None:
    if record.run_id is not None:
        await count_feedback(store, record.workspace_id, [record.run_id])


def _ids(texts: list[str]) -> list[str]:
    return [known[0] if (known := run_id(text)) else text for text in texts]
