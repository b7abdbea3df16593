"""How far a job is, as server-sent events that are read from the store: any gateway tells the same, at any time."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from services.gateway.access import Reader, StoreDep
from services.gateway.jobs import find_job
from shared.ending import now
from shared.models import FINAL, ItemState, Job, JobState
from shared.plain_json import dump
from shared.report import status_of
from shared.store import Store

PAUSE = 1.0  # seconds between looks
SILENCE = 15.0  # after which a comment keeps the connection open
OPEN = 100  # streams of one process
KEPT = 200  # jobs
LEAST_RATED, RATED = 1.0, 30.0  # seconds that the rate is taken over
ENDED = (JobState.SUCCESS, JobState.ERROR)
ORDER = (JobState.QUEUED, JobState.RUNNING, JobState.READY, JobState.CATEGORIZED, JobState.SUCCESS)
STAGES = ("prepare", "items", "categories", "report")

routes = APIRouter()


@dataclass
class _Look:
    """The last look at a job, which its streams share; and how many items had ended when."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    at: float = float("-inf")
    told: Mapping[str, Any] | None = None
    ended: deque[tuple[float, int]] = field(default_factory=deque)

    def rate(self, at: float, ended: int, job: Job) -> float:
        """Items a second, of late; since the job was asked for, where this process has not looked before."""
        while self.ended and self.ended[0][0] < at - RATED:
            self.ended.popleft()
        self.ended.append((at, ended))
        since, before = self.ended[0]
        seconds, more = at - since, ended - before
        if seconds < LEAST_RATED:
            seconds, more = (now() - job.created_at) / 1_000_000, ended
        return round(more / seconds, 3) if seconds > 0 else 0.0


class Watch:
    """The looks of one process: however many watch a job, the store is asked once a PAUSE."""

    def __init__(self) -> None:
        self._looks: OrderedDict[tuple[str, str], _Look] = OrderedDict()
        self._open = 0
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Every stream ends, as the process is about to: its client asks again, and another gateway goes on."""
        self._stopped.set()

    async def pause(self) -> bool:
        """Whether to go on after a PAUSE."""
        try:
            await asyncio.wait_for(self._stopped.wait(), PAUSE)
        except TimeoutError:
            return True
        return False

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def require_room(self) -> None:
        if self._open >= OPEN:
            wait = {"Retry-After": "10"}
            raise HTTPException(429, "Too many watch jobs here: try again, or look at the job by GET.", wait)

    async def look(self, store: Store, job: Job) -> Mapping[str, Any] | None:
        """None once the job is gone."""
        look = self._looks.setdefault((job.workspace_id, job.id), _Look())
        self._looks.move_to_end((job.workspace_id, job.id))
        while len(self._looks) > KEPT:
            self._looks.popitem(last=False)
        async with look.lock:
            if monotonic() - look.at >= PAUSE / 2:
                look.told = await _read(store, job, look)
                look.at = monotonic()
            return look.told


@routes.get("/sessions/{project_id}/insights/{job_id}/events", response_model=None)
async def watch_job(
    project_id: UUID, job_id: UUID, request: Request, caller: Reader, store: StoreDep
) -> StreamingResponse:
    """Ours. `progress` with each change and `end` at the end; each is the whole state, so that none must be kept."""
    watch: Watch = request.app.state.watch
    job = await find_job(store, caller.workspace_id, project_id, job_id)
    watch.require_room()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(watch, store, job), media_type="text/event-stream", headers=headers)


async def _events(watch: Watch, store: Store, job: Job) -> AsyncIterator[str]:
    last, said, number = None, monotonic(), 0
    async with watch.stream():
        while (found := await watch.look(store, job)) is not None:
            over = found["status"] in ("success", "error")
            if found != last:
                last, said, number = found, monotonic(), number + 1
                yield f"id: {number}\nevent: {'end' if over else 'progress'}\ndata: {dump(found)}\n\n"
            elif monotonic() - said > SILENCE:
                said = monotonic()
                yield ": still there\n\n"
            if over:
                return
            if not await watch.pause():
                return
        yield 'event: end\ndata: {"status": "deleted"}\n\n'


async def _read(store: Store, known: Job, look: _Look) -> Mapping[str, Any] | None:
    job = await store.job(known.workspace_id, known.id)
    if job is None:
        return None
    counts = await store.count_items(job.workspace_id, job.id)
    ended = sum(counts.get(state, 0) for state in FINAL)
    everything = job.sampled if job.sampled is not None else sum(counts.values())
    rate = look.rate(monotonic(), ended, job)
    summarized = counts.get(ItemState.SUMMARIZED, 0)
    return {
        "id": job.id,
        "status": status_of(job),
        "error": job.error,
        "stages": _stages(job),
        "items": {
            "all": everything,
            "waiting": counts.get(ItemState.PENDING, 0),
            "summarizing": counts.get(ItemState.RELEASED, 0),
            "extracting": summarized,
            "done": counts.get(ItemState.DONE, 0),
            "failed": counts.get(ItemState.FAILED, 0),
            "left_out": counts.get(ItemState.LEFT_OUT, 0),
        },
        "rate": rate,
        "seconds_left": _seconds_left(job, everything - ended, rate),
    }


def _stages(job: Job) -> list[dict[str, str]]:
    """Each `waiting`, `running` or `done`; of a job that failed it is not known where."""
    if job.state is JobState.ERROR:
        return [{"name": name, "state": "stopped"} for name in STAGES]
    at = ORDER.index(job.state)
    states = ["done" if place < at else "running" if place == at else "waiting" for place in range(len(STAGES))]
    return [{"name": name, "state": state} for name, state in zip(STAGES, states, strict=True)]


def _seconds_left(job: Job, left: int, rate: float) -> float | None:
    """Of the items' stage; None where it is not known."""
    return round(left / rate, 1) if job.state is JobState.RUNNING and rate > 0 else None
