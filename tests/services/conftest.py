"""What the tests of services share: a real store in a file, a list for a bus, and documents with few fields."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from services.summarizer.local import summarize
from shared.asking import Asker
from shared.bodies import pack
from shared.config import Settings
from shared.embedding.worker import Embedder
from shared.events import DeadLetter, Event
from shared.job_config import JobConfig
from shared.llm import Endpoint, Llm, Prices
from shared.models import BodyPart, Item, ItemState, Job, JobState, Plan, Project, Run, StoredRun
from shared.prompts import Piece
from shared.store import connect
from shared.store.sqlite import SqliteStore

W, P, J = "w", "p", "j"
PROJECT = Project(workspace_id=W, id=P, name="Support", created_at=1)
PLAN = Plan(workspace_id=W, job_id=J)
NEVER_LAPSES = 3_600.0  # seconds: longer than any test
E = TypeVar("E", bound=Event)


class Published:
    """A bus that keeps what was published, in order."""

    def __init__(self) -> None:
        self.events: list[Event | DeadLetter] = []

    async def __call__(self, event: Event | DeadLetter) -> None:
        self.events.append(event)

    def take(self) -> list[Event | DeadLetter]:
        """What was published since the last time."""
        taken, self.events = self.events, []
        return taken

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


async def opened(path: Path, kind: type[SqliteStore] | None = None) -> SqliteStore:
    """A new store, perhaps of a kind that a test made, with one project in it."""
    url = f"sqlite:///{path}/insights.db"
    store = await kind.open(url) if kind else await connect(url)
    assert isinstance(store, SqliteStore)
    await store.init()
    await store.insert_project(PROJECT)
    return store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await opened(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def publish() -> Published:
    return Published()


@pytest.fixture
def settings() -> Settings:
    return Settings(in_flight=3, lease_seconds=NEVER_LAPSES)


@pytest.fixture
def embedder() -> Embedder:
    """As where no weights are installed: words alone."""
    return Embedder("none")


@pytest.fixture
async def asker(store: SqliteStore) -> AsyncIterator[Asker]:
    """Of an endpoint that is not there: whoever asks it fails."""
    llm = Llm(Endpoint("http://127.0.0.1:9/v1"), attempts=1)
    yield Asker(store, llm, Prices.load())
    await llm.close()


def trace(run_id: str, said: str | None = None, **fields: Any) -> StoredRun:
    """A root run in which the user says `said`; `inputs` and `outputs` are its bodies as values."""
    parts: tuple[BodyPart, ...] = ("inputs", "outputs")
    bodies = {part: pack(fields.pop(part)) for part in parts if part in fields}
    if said is not None:
        bodies["inputs"] = pack({"messages": [{"role": "user", "content": said}]})
    fixed = {"workspace_id": W, "id": run_id, "project_id": P, "trace_id": run_id, "received_at": 5}
    return StoredRun(Run(**{**fixed, **fields}), bodies)


def job(state: JobState = JobState.QUEUED, config: dict[str, Any] | None = None, **fields: Any) -> Job:
    fixed = {"workspace_id": W, "id": J, "project_id": P, "name": "a job", "created_at": 1, "received_before": 1_000}
    return Job(**{**fixed, "state": state, "config": JobConfig(**(config or {})), "announced": True, **fields})


def item(item_id: str, state: ItemState = ItemState.PENDING, **fields: Any) -> Item:
    return Item(**{"workspace_id": W, "job_id": J, "id": item_id, "run_ids": (item_id,), "state": state, **fields})


def features(text: str) -> bytes:
    """What the summarizer would hand over to the categorizer of a trace that says this."""
    return summarize([Piece(text, True, text)], PLAN).features.pack()
