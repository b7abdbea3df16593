"""What a page costs where ten times more runs are stored: 10,000 against 100,000, asked in turn."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from benchmarks.figure import Figure
from services.gateway.app import make_app
from shared.bodies import pack
from shared.job_config import JobConfig
from shared.jobs import new_job
from shared.matching import Criteria, count_matching
from shared.models import DEFAULT_WORKSPACE, Project, Run, StoredRun
from shared.store import Store, connect
from shared.store.queries import Wanted

FEW, MANY = 10_000, 100_000
SPANS = 5  # runs of a trace
PAGE, JOBS, TIMES = 50, 20, 41
TIMES_AT_MOST = 1.3  # for ten times the runs
COUNT_AT_MOST, LIVE_SECONDS = 3.0, 0.3  # times a plain count; for a count that reads bodies
PROJECT = Project(workspace_id=DEFAULT_WORKSPACE, id=str(UUID(int=1)), name="shop", created_at=0)

Ask = Callable[["World"], Awaitable[Any]]


class World:
    """A store of so many runs, and the app on it."""

    def __init__(self, store: Store, runs: int) -> None:
        self.store, self.runs = store, runs
        app = make_app(store, _nothing, _nothing)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")

    async def query(self, **body: Any) -> None:
        answer = await self.client.post("/runs/query", json={"session": PROJECT.id, "limit": PAGE, **body})
        assert len(answer.json()["runs"]) == PAGE, answer.text[:200]


async def _nothing(event: Any = None) -> None: ...


def figures(full: bool) -> Iterator[Figure]:
    yield from asyncio.run(_figures())


async def _figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as place:
        worlds = [await _world(Path(place) / f"{runs}.db", runs) for runs in (FEW, MANY)]
        asks: dict[str, Ask] = {
            "the newest runs": lambda world: world.query(),
            "runs from the middle of the time": _middle,
            "runs of a status": lambda world: world.query(filter='eq(status, "error")'),
            "roots of a status": lambda world: world.query(is_root=True, error=True),
            "runs of a name, every hundredth": lambda world: world.query(filter='eq(name, "rare")'),
            "runs that say something": lambda world: world.query(filter='search("refund")'),
            "a list of jobs": lambda world: world.store.jobs(DEFAULT_WORKSPACE, PROJECT.id),
        }
        found = [await _compared(what, ask, *worlds) for what, ask in asks.items()]
        found += await _counts(worlds[1])
        for world in worlds:
            await world.client.aclose()
            await world.store.close()
    return found


async def _compared(what: str, ask: Ask, few: World, many: World) -> Figure:
    seconds: dict[int, list[float]] = {FEW: [], MANY: []}
    for _ in range(TIMES):
        for world in (few, many):
            seconds[world.runs].append(await _took(ask, world))
    slow, fast = (statistics.median(seconds[runs][1:]) for runs in (MANY, FEW))
    return Figure(f"{what} ({slow * 1_000:.1f} ms): times those of {FEW:,}", slow / fast, TIMES_AT_MOST, at_most=True)


async def _counts(world: World) -> list[Figure]:
    """The live count of a filter on indexed fields beside a count without one, and how long one on bodies may take."""
    roots = Wanted(DEFAULT_WORKSPACE, PROJECT.id, root=True)
    by_index = Criteria.read('and(eq(status, "error"), eq(name, "rare"))')
    plain = statistics.median([await _took(lambda one: one.store.count_runs(roots), world) for _ in range(TIMES)])
    ours = statistics.median(
        [await _took(lambda one: count_matching(one.store, roots, by_index), world) for _ in range(TIMES)]
    )
    said = Criteria.read('search("nowhere")')
    live = await _took(lambda one: count_matching(one.store, roots, said), world)
    return [
        Figure("count by status and name: times a plain count", ours / plain, COUNT_AT_MOST, at_most=True),
        Figure("count by what is said", live, LIVE_SECONDS * 1.2, at_most=True, unit="s"),
    ]


async def _took(ask: Ask, world: World) -> float:
    begun = time.perf_counter()
    await ask(world)
    return time.perf_counter() - begun


async def _middle(world: World) -> None:
    cut = _start(world.runs // 2)
    await world.query(filter=f'lt(start_time, "{cut}")')


def _start(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + number))


async def _world(path: Path, runs: int) -> World:
    store = await connect(f"sqlite:///{path}")
    await store.insert_project(PROJECT)
    for start in range(0, runs, 1_000):
        await store.save_runs([_run(number) for number in range(start, start + 1_000)])
    for number in range(JOBS):
        await store.insert_job(new_job(PROJECT, str(UUID(int=number)), JobConfig(), at=number))
    return World(store, runs)


def _run(number: int) -> StoredRun:
    root = number - number % SPANS
    at = (1_700_000_000 + number) * 1_000_000
    run = Run(
        workspace_id=DEFAULT_WORKSPACE,
        id=str(UUID(int=number + 10)),
        project_id=PROJECT.id,
        trace_id=str(UUID(int=root + 10)),
        parent_run_id=None if number == root else str(UUID(int=root + 10)),
        thread_id=f"thread {number // 50}",
        name="rare" if number % 100 in (0, 1) else f"step {number % 7}",
        run_type="llm" if number % 2 else "chain",
        start_time=at,
        end_time=at + 900_000,
        status="error" if number // SPANS % 10 == 0 else "success",
        total_tokens=number % 900,
        metadata={"env": "prod", "user": f"user {number % 1_000}"},
        received_at=at,
    )
    asked = "I want a refund" if number % 4 == 0 else "Where is my order"
    said = {"messages": [{"role": "user", "content": f"{asked} {number}. " + "Please help me. " * 30}]}
    return StoredRun(run, {"inputs": pack(said), "outputs": pack({"text": "Of course. " * 40})})
