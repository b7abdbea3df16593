"""The two places where a job runs: one process on SQLite, and Kafka with MongoDB's protocol; the same Routers."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from insights.process import ROUTERS, Process, running
from insights.progress import Progress
from insights.report_json import write_report
from insights.source import load, opened
from shared.bus import Router
from shared.bus.topics import create_topics
from shared.config import Settings
from shared.events import JobReported
from shared.job_config import JobConfig
from shared.jobs import new_job, submit_job
from shared.models import Job, Project
from shared.store import Store, connect
from tests.servers.mongo import new_database

PATIENCE = 60.0  # seconds


@dataclass
class Place:
    """A running system, all services in this process, with what a test does to it."""

    process: Process
    folder: Path
    reported: dict[str, asyncio.Event]

    @property
    def store(self) -> Store:
        return self.process.store

    async def project(self, traces: Iterable[dict[str, Any]]) -> Project:
        """The traces, read from a file as a user would have it."""
        path = self.folder / "traces.jsonl"
        path.write_text("".join(json.dumps(trace) + "\n" for trace in traces))
        with opened(str(path), None, None, self.folder) as source, Progress() as progress:
            return await load(self.store, source, progress)

    async def run(self, project: Project, job_id: str, config: JobConfig | None = None) -> Job:
        job = new_job(project, job_id, config or JobConfig())
        await submit_job(self.store, self.process.bus.publish, job)
        return await self.ended(job)

    async def ended(self, job: Job) -> Job:
        """The job when it has ended; TimeoutError if it hangs."""
        async with asyncio.timeout(PATIENCE):
            await self.reported[job.id].wait()
        found = await self.store.job(job.workspace_id, job.id)
        assert found is not None
        return found

    async def report(self, job: Job, project: Project) -> dict[str, Any]:
        path = self.folder / f"{job.id}.json"
        await write_report(path, self.store, job, project=project)
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@asynccontextmanager
async def start(settings: Settings, folder: Path) -> AsyncIterator[Place]:
    """The services, and a program of the test's that reads job.reported, as any program may."""
    reported: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
    program = Router(f"test-{uuid4()}")

    @program.subscriber(JobReported)
    async def note(event: JobReported) -> None:
        reported[event.job_id].set()

    async with running(tuple(ROUTERS), settings, folder, more=[program]) as process:
        yield Place(process, folder, reported)


@pytest.fixture(params=["local", "kafka"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Of a place that nobody else uses; that on Kafka shares the topics with the tests before it."""
    if request.param == "local":
        return Settings.load(embedding="none")
    kafka = request.getfixturevalue("kafka_servers")
    store = new_database(request.getfixturevalue("mongo_servers"))
    await create_topics(kafka, 4, 1)
    made = await connect(store)
    await made.init()
    await made.close()
    return Settings.load(bus=f"kafka://{kafka}", store=store, session_timeout=6.0, lease_seconds=3.0, embedding="none")


@pytest.fixture
async def place(settings: Settings, tmp_path: Path) -> AsyncIterator[Place]:
    async with start(settings, tmp_path) as found:
        yield found
