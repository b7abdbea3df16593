"""The gateway's API on a real store and a list for a bus, with projects, runs and reports to look at."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from insights.forecasting import Forecaster
from services.aggregator.handlers import report_job
from services.categorizer.clusters import build
from services.categorizer.found import Category, Found, Leaf
from services.gateway.app import make_app
from shared.asking import Asker
from shared.bodies import pack
from shared.clients import Clients
from shared.config import Settings
from shared.events import JobCategorized
from shared.job_config import JobConfig
from shared.jobs import new_job
from shared.llm import Endpoint, Llm, Prices
from shared.models import DEFAULT_WORKSPACE, Item, ItemState, Job, JobState, Project, Report, Run, StoredRun
from shared.store.sqlite import SqliteStore
from tests.services.test_gateway import Bus

W = DEFAULT_WORKSPACE


@dataclass
class World:
    client: httpx.AsyncClient
    store: SqliteStore
    bus: Bus
    llm: Llm

    async def project(self, name: str = "shop") -> str:
        """Its address."""
        made = (await self.client.post("/sessions", json={"name": name})).json()
        return f"/sessions/{made['id']}"

    async def traces(self, at: str, count: int, **fields: Any) -> list[str]:
        """Root runs with a question and an answer; their ids. A callable field is asked with the number of the run."""
        ids = [str(UUID(int=number + 1, version=4)) for number in range(count)]
        runs = [
            Run(
                workspace_id=W,
                id=run_id,
                project_id=at.rpartition("/")[2],
                trace_id=run_id,
                received_at=1,
                **{name: one(number) if callable(one) else one for name, one in fields.items()},
            )
            for number, run_id in enumerate(ids)
        ]
        question = [{"role": "user", "content": "Where is my parcel?"}]
        bodies = {"inputs": pack({"messages": question}), "outputs": pack({"answer": "On its way."})}
        await self.store.save_runs([StoredRun(run, bodies) for run in runs])  # type: ignore[arg-type]
        return ids

    async def job(self, at: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(f"{at}/insights", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def stored(self, job_id: str) -> Job:
        found = await self.store.job(W, job_id)
        assert found is not None
        return found

    async def report(
        self,
        at: str,
        sizes: Sequence[Sequence[int]],
        attributes: Sequence[Mapping[str, Any]] = (),
        config: JobConfig | None = None,
        **changes: Any,
    ) -> str:
        """The address of a job that ended well: categories of subcategories of so many traces, by the real handlers."""
        ids = await self.traces(at, sum(map(sum, sizes)))
        project = Project(workspace_id=W, id=at.rpartition("/")[2], name="shop", created_at=1)
        job = new_job(project, str(uuid4()), config or JobConfig()).model_copy(update={"fence": 1, **changes})
        await self.store.insert_job(job.model_copy(update={"state": JobState.CATEGORIZED, "announced": True}))
        given = [*attributes, *({} for _ in ids[len(attributes) :])]
        items = [
            Item(
                workspace_id=W,
                job_id=job.id,
                id=run_id,
                run_ids=(run_id,),
                state=ItemState.DONE,
                summary=f"Summary {number}.",
                attributes=dict(given[number]),
            )
            for number, run_id in enumerate(ids)
        ]
        await self.store.insert_items(items)
        clusters, assignments = build(job, ids, _found(sizes))
        await self.store.assign_items(W, job.id, 1, assignments)
        await self.store.save_report(Report(workspace_id=W, job_id=job.id, fence=1, clusters=tuple(clusters)))
        asker = Asker(self.store, self.llm, Prices.load())
        event = JobCategorized(workspace_id=W, job_id=job.id, fence=1)
        await report_job(event, self.store, self.bus.publish, asker)
        return f"{at}/insights/{job.id}"


def _found(sizes: Sequence[Sequence[int]]) -> Found:
    """Items in the order of their ids, one leaf after another."""
    categories, first = [], 0
    for number, leaves in enumerate(sizes):
        made = []
        for size in leaves:
            members = list(range(first, first + size))
            made.append(Leaf(f"Leaf {first}", "Some.", members, [0.5] * size))
            first += size
        categories.append(Category(f"Category {number}", "More.", made))
    return Found(categories, effort=[None] * first)


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """No endpoint of a model is known."""
    store = await SqliteStore.open(f"sqlite:///{folder}/insights.db")
    await store.init()
    bus, llm = Bus(), Llm(Endpoint(None, None, {}))
    clients = Clients(store, llm)
    forecast = Forecaster(store, Prices.load(), llm.endpoint.place)
    app = make_app(store, bus.publish, bus.check, Settings(**settings), clients=clients, forecast=forecast)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield World(client, store, bus, llm)
    await llm.close()
    await store.close()
