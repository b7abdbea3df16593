"""What services see of the store; `sqlite.py` and `mongo.py` are behind it, chosen by URL (`connect`).

First write wins where a method says `insert`; states move one way, by compare-and-set; a write is durable when its
method returns. Every method may raise UnavailableError or RefusedError. Lists are paged by key: `after` is the last
key of the page before, and a page shorter than `limit` is the last.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from shared.models import (
    Assignment,
    BodyPart,
    Item,
    ItemState,
    Job,
    JobState,
    Plan,
    Report,
    Run,
    Spending,
    Stage,
    StoredRun,
)
from shared.store.access import AccessStore
from shared.store.attachments import AttachmentStore
from shared.store.configs import ConfigStore
from shared.store.feedback import FeedbackStore
from shared.store.places import PlacedItems
from shared.store.projects import ProjectStore
from shared.store.queries import QueryStore
from shared.store.secrets import SecretStore


class Store(
    AccessStore,
    SecretStore,
    ProjectStore,
    AttachmentStore,
    FeedbackStore,
    QueryStore,
    PlacedItems,
    ConfigStore,
    Protocol,
):
    async def init(self) -> None:
        """Make tables or indexes; harmless where they exist."""

    async def check(self) -> None:
        """Raise UnavailableError, saying what to do, where the store does not answer or was not initialised."""

    async def close(self) -> None: ...

    # Runs

    async def save_runs(self, runs: Sequence[StoredRun]) -> None:
        """Insert or replace, each run with all its bodies; one durable write. The order of `runs` decides twins."""

    async def merge_runs(self, runs: Sequence[StoredRun]) -> set[str]:
        """Save each run if it is still stored in this version (None: if it is not stored); the ids of those not saved.

        Bodies that are not given stay. Each run comes once; those that are saved are so in one durable write.
        """

    async def stored_runs(self, workspace_id: str, parts: Mapping[str, Collection[BodyPart]]) -> dict[str, StoredRun]:
        """By id, each with its version and those of its bodies that `parts` names, all as they were at one moment, or
        `merge_runs` will not take it.
        """

    async def runs(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, Run]:
        """By id; what does not exist is not in it."""

    async def trace_runs(self, workspace_id: str, trace_ids: Collection[str]) -> list[Run]:
        """Every run of these traces, sorted by (trace_id, dotted_order or '', start_time or 0, id)."""

    async def root_runs(
        self,
        workspace_id: str,
        project_id: str,
        *,
        start: int | None = None,
        end: int | None = None,
        received_before: int | None = None,
        after: str | None = None,
        limit: int = 1_000,
    ) -> list[Run]:
        """Root runs of the project, sorted by id. `start` ≤ start_time < `end`, received_at < `received_before`.

        A run whose start_time is unknown is in no window that has a start or an end.
        """

    async def bodies(
        self, workspace_id: str, run_ids: Collection[str], parts: Collection[BodyPart]
    ) -> dict[str, dict[BodyPart, bytes]]:
        """By run id, then part; a run without any of these parts is not in it."""

    # Jobs

    async def insert_job(self, job: Job) -> bool:
        """True if it is new."""

    async def job(self, workspace_id: str, job_id: str) -> Job | None: ...

    async def jobs(
        self,
        workspace_id: str,
        project_id: str,
        *,
        config_id: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Job]:
        """Newest first (created_at, id); only those made from `config_id`, if one is given."""

    async def rename_job(self, workspace_id: str, job_id: str, name: str) -> bool:
        """False where it does not exist."""

    async def jobs_in(self, states: Collection[JobState], *, limit: int = 1_000) -> list[Job]:
        """Of every workspace, oldest first (created_at, id)."""

    async def unannounced_jobs(self, created_before: int) -> list[Job]:
        """Jobs whose job.requested was not published."""

    async def move_job(
        self,
        workspace_id: str,
        job_id: str,
        origin: Collection[JobState],
        target: JobState,
        *,
        only_fence: int | None = None,
        **changes: Any,
    ) -> bool:
        """Compare-and-set of the state, with `changes` of other fields. True if this call moved it.

        `only_fence`: move it only if the job's fence is this one.
        """

    async def mark_announced(self, workspace_id: str, job_id: str) -> None: ...

    async def delete_job(self, workspace_id: str, job_id: str) -> None:
        """With its plan, items, reports and orders."""

    async def insert_plan(self, plan: Plan) -> None: ...

    async def plan(self, workspace_id: str, job_id: str) -> Plan | None: ...

    # Items

    async def insert_items(self, items: Sequence[Item]) -> None:
        """Those that exist stay as they are."""

    async def clear_items(self, workspace_id: str, job_id: str) -> None:
        """Remove every item of the job: a preparation that was cut short begins again."""

    async def item(self, workspace_id: str, job_id: str, item_id: str) -> Item | None: ...

    async def items(
        self,
        workspace_id: str,
        job_id: str,
        *,
        states: Collection[ItemState] | None = None,
        after: str | None = None,
        limit: int = 1_000,
        features: bool = False,
    ) -> list[Item]:
        """Sorted by id; `features` are left empty unless asked for."""

    async def count_items(self, workspace_id: str, job_id: str) -> dict[ItemState, int]: ...

    async def has_open_items(self, workspace_id: str, job_id: str) -> bool:
        """Whether an item has not reached a final state: one look at an index."""

    async def release_items(self, workspace_id: str, job_id: str, limit: int) -> list[str]:
        """Move up to `limit` pending items, lowest ids first, to released; their ids."""

    async def leave_out_pending(self, workspace_id: str, job_id: str, reason: str) -> int:
        """Move every pending item to left_out; how many there were."""

    async def count_in_flight(self, workspace_id: str, job_id: str) -> int:
        """How many items are released or summarized: one look at an index."""

    async def move_item(
        self,
        workspace_id: str,
        job_id: str,
        item_id: str,
        origin: Collection[ItemState],
        target: ItemState,
        **changes: Any,
    ) -> bool:
        """Compare-and-set of the state, with `changes` of other fields of Item. True if this call moved it."""

    async def assign_items(self, workspace_id: str, job_id: str, fence: int, found: Sequence[Assignment]) -> None:
        """Set leaf, path and confidence of each, unless a higher fence has."""

    # Leases

    async def acquire_lease(self, name: str, owner: str, seconds: float) -> int | None:
        """The fence (1, 2, … one more with each owner) if the lease is free, lapsed or already the owner's.

        None if another holds it. An owner that still holds it keeps its fence.
        """

    async def renew_lease(self, name: str, owner: str, seconds: float) -> bool:
        """False if it is not the owner's any more: stop working."""

    async def release_lease(self, name: str, owner: str) -> None: ...

    # Reports

    async def save_report(self, report: Report) -> None:
        """Insert or replace under job and fence."""

    async def report(self, workspace_id: str, job_id: str, fence: int) -> Report | None: ...

    # Answers of models, and what they took

    async def answers(self, workspace_id: str, keys: Collection[str]) -> dict[str, bytes]:
        """The kept ones by key; what is not kept is not in it."""

    async def keep_answers(self, workspace_id: str, answers: Mapping[Stage, Mapping[str, bytes]]) -> None:
        """Insert or replace, by key; one write, so that what one call answered is kept together."""

    async def count_answers(self, workspace_id: str | None = None) -> dict[Stage, tuple[int, int]]:
        """How many are kept, and their bytes; those of every workspace if none is given."""

    async def clear_answers(self, workspace_id: str | None = None) -> int:
        """Forget them all, those of every workspace if none is given; how many there were."""

    async def add_spending(self, workspace_id: str, job_id: str, spending: Spending) -> None:
        """Add its counts to those of the same job, stage and model: one atomic write. `estimated` stays once set."""

    async def spending(self, workspace_id: str, job_id: str) -> list[Spending]:
        """Sorted by stage and model. It goes with its job."""


async def connect(url: str) -> Store:
    """The store behind `sqlite:///path/insights.db` or `mongodb://host:port/database`, not yet checked."""
    if url.startswith("sqlite:"):
        from shared.store.sqlite import SqliteStore

        return await SqliteStore.open(url)
    from shared.store.mongo import MongoStore

    return await MongoStore.open(url)
