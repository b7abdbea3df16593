"""The store in MongoDB: no transactions; every race is decided by the filter of one update.

Nothing is counted up but the bill (`mongo_answers.py`): an event comes more than once, but a call is paid each time.
`_id` is the natural key in one string (`key_of`), so that a duplicate key means that the document exists. Runs and
their bodies are in `mongo_runs.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, UpdateOne, WriteConcern
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import parse_uri

from shared.bodies import pack, unpack
from shared.ending import now
from shared.errors import UnavailableError, UsageError
from shared.models import OPEN, Assignment, Item, ItemState, Job, JobState, Plan, Report
from shared.store.documents import ITEM, JOB, assigned, encode, names, slices
from shared.store.leases import Lease, lapse
from shared.store.mongo_access import MongoAccess
from shared.store.mongo_answers import MongoAnswers
from shared.store.mongo_attachments import MongoAttachments
from shared.store.mongo_calls import SLICE, by, key_of, page, plain_errors
from shared.store.mongo_configs import MongoConfigs
from shared.store.mongo_feedback import MongoFeedback
from shared.store.mongo_places import MongoPlaces
from shared.store.mongo_projects import MongoProjects
from shared.store.mongo_queries import RUN_INDEXES, MongoQueries
from shared.store.mongo_runs import MongoRuns
from shared.store.mongo_secrets import MongoSecrets

PATIENCE_MS = 5_000
_IN_FLIGHT = [str(ItemState.RELEASED), str(ItemState.SUMMARIZED)]
_INDEXES: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("projects", "by_name", ("workspace_id", "name", "created_at", "id"), {}),
    ("runs", "by_trace", ("workspace_id", "trace_id"), {}),
    (
        "runs",
        "roots",
        ("workspace_id", "project_id", "id", "start_time", "received_at"),
        {"partialFilterExpression": {"root": True}},
    ),
    ("jobs", "by_project", ("workspace_id", "project_id", "created_at", "id"), {}),
    ("jobs", "by_state", ("state", "created_at", "id"), {}),
    ("jobs", "unannounced", ("announced", "created_at", "id"), {}),
    ("items", "by_id", ("workspace_id", "job_id", "id"), {}),
    ("items", "by_state", ("workspace_id", "job_id", "state", "id"), {}),
    ("items", "by_place", ("workspace_id", "job_id", "place"), {}),
    ("orders", "by_job", ("workspace_id", "job_id"), {}),
    ("configs", "by_project", ("workspace_id", "project_id", "created_at", "id"), {}),
    ("reports", "by_job", ("workspace_id", "job_id"), {}),
    ("spending", "by_job", ("workspace_id", "job_id"), {}),
    *RUN_INDEXES,
    ("attachments", "by_run", ("workspace_id", "run_id"), {}),
    ("answers", "by_stage", ("workspace_id", "stage", "size"), {}),
    ("api_keys", "by_workspace", ("workspace_id", "created_at", "id"), {}),
    ("secrets", "by_key", ("workspace_id", "key"), {}),
    ("feedback", "by_time", ("workspace_id", "created_at", "id"), {}),
    ("feedback", "by_run", ("workspace_id", "run_id", "created_at", "id"), {}),
    ("feedback", "by_project", ("workspace_id", "project_id", "created_at", "id"), {}),
)


class MongoStore(
    MongoProjects,
    MongoRuns,
    MongoQueries,
    MongoAttachments,
    MongoFeedback,
    MongoAnswers,
    MongoPlaces,
    MongoConfigs,
    MongoAccess,
    MongoSecrets,
):
    def __init__(self, client: Any, place: str) -> None:
        """`place` is host, port and database for messages, without a password."""
        self.place = place
        self._client = client
        self._database = client.get_default_database(write_concern=WriteConcern("majority"))

    @classmethod
    async def open(cls, url: str) -> Self:
        """The store of this URL; nothing is asked of the server yet."""
        try:
            parts = parse_uri(url)
            if not parts["database"]:
                raise UsageError("A store in MongoDB is written mongodb://host:port/database: add the database.")
            client: Any = AsyncIOMotorClient(url, **_options(parts["options"]))
        except (ConfigurationError, ValueError) as error:
            raise UsageError(f"This is no URL of a store, like mongodb://host:port/database: {error}") from error
        hosts = ",".join(f"{host}:{port}" for host, port in parts["nodelist"])
        return cls(client, f"{hosts}/{parts['database']}")

    @plain_errors
    async def init(self) -> None:
        await self._fill_in()
        for collection, name, fields, options in _INDEXES:
            keys = [(field, ASCENDING) for field in fields]
            await self._database[collection].create_index(keys, name=name, **options)

    @plain_errors
    async def check(self) -> None:
        await self._client.admin.command("ping")
        collection, name, *_ = _INDEXES[-1]
        if name not in await self._database[collection].index_information():
            raise UnavailableError(f"MongoDB at {self.place} has no store yet: make it with `insights store init`.")

    async def close(self) -> None:
        self._client.close()

    # Jobs

    @plain_errors
    async def insert_job(self, job: Job) -> bool:
        return await self._insert("jobs", {"_id": key_of(job.workspace_id, job.id), **JOB.row(job)})

    @plain_errors
    async def job(self, workspace_id: str, job_id: str) -> Job | None:
        found = await self._database.jobs.find_one({"_id": key_of(workspace_id, job_id)})
        return JOB.load(found) if found else None

    @plain_errors
    async def jobs(
        self,
        workspace_id: str,
        project_id: str,
        *,
        config_id: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Job]:
        if limit == 0:
            return []  # MongoDB reads a limit of 0 as none
        given = {"workspace_id": workspace_id, "project_id": project_id}
        given |= {"config_id": config_id} if config_id is not None else {}
        found = self._database.jobs.find(given).sort([("created_at", DESCENDING), ("id", DESCENDING)])
        return [JOB.load(document) for document in await found.skip(offset).limit(limit or 0).to_list(None)]

    @plain_errors
    async def jobs_in(self, states: Collection[JobState], *, limit: int = 1_000) -> list[Job]:
        cursor = self._database.jobs.find({"state": {"$in": names(states)}})
        return [JOB.load(document) for document in await page(cursor, limit, "created_at", "id")]

    @plain_errors
    async def unannounced_jobs(self, created_before: int) -> list[Job]:
        cursor = self._database.jobs.find({"announced": False, "created_at": {"$lt": created_before}})
        return [JOB.load(document) for document in await cursor.sort(by("created_at", "id")).to_list(None)]

    @plain_errors
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
        given = {} if only_fence is None else {"fence": only_fence}
        key = key_of(workspace_id, job_id)
        return await self._move("jobs", key, names(origin), JOB.changes(target, changes), **given)

    @plain_errors
    async def rename_job(self, workspace_id: str, job_id: str, name: str) -> bool:
        change = {"$set": {"name": encode(name)}}
        moved = await self._database.jobs.update_one({"_id": key_of(workspace_id, job_id)}, change)
        return bool(moved.matched_count)

    @plain_errors
    async def mark_announced(self, workspace_id: str, job_id: str) -> None:
        await self._database.jobs.update_one({"_id": key_of(workspace_id, job_id)}, {"$set": {"announced": True}})

    @plain_errors
    async def delete_job(self, workspace_id: str, job_id: str) -> None:
        """The job goes last: a delete that was cut short can be done again."""
        for collection in ("items", "reports", "spending", "orders"):
            await self._database[collection].delete_many({"workspace_id": workspace_id, "job_id": job_id})
        for collection in ("plans", "jobs"):
            await self._database[collection].delete_one({"_id": key_of(workspace_id, job_id)})

    @plain_errors
    async def insert_plan(self, plan: Plan) -> None:
        key = key_of(plan.workspace_id, plan.job_id)
        await self._insert("plans", {"_id": key, "document": pack(plan.model_dump())})

    @plain_errors
    async def plan(self, workspace_id: str, job_id: str) -> Plan | None:
        found = await self._database.plans.find_one({"_id": key_of(workspace_id, job_id)})
        return Plan.model_validate(unpack(found["document"])) if found else None

    # Items

    @plain_errors
    async def insert_items(self, items: Sequence[Item]) -> None:
        for part in slices(items, SLICE):
            writes = [
                UpdateOne(
                    {"_id": key_of(item.workspace_id, item.job_id, item.id)},
                    {"$setOnInsert": {**ITEM.row(item), "fence": 0}},
                    upsert=True,
                )
                for item in part
            ]
            await self._database["items"].bulk_write(writes, ordered=False)

    @plain_errors
    async def clear_items(self, workspace_id: str, job_id: str) -> None:
        await self._database.items.delete_many({"workspace_id": workspace_id, "job_id": job_id})

    @plain_errors
    async def item(self, workspace_id: str, job_id: str, item_id: str) -> Item | None:
        found = await self._database["items"].find_one({"_id": key_of(workspace_id, job_id, item_id)})
        return ITEM.load(found) if found else None

    @plain_errors
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
        given: dict[str, Any] = {"workspace_id": workspace_id, "job_id": job_id, "id": {"$gt": after or ""}}
        if states is not None:
            given["state"] = {"$in": names(states)}
        cursor = self._database["items"].find(given, None if features else {"features": 0})
        return [ITEM.load(document) for document in await page(cursor, limit)]

    @plain_errors
    async def count_items(self, workspace_id: str, job_id: str) -> dict[ItemState, int]:
        steps = [
            {"$match": {"workspace_id": workspace_id, "job_id": job_id}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        found = await self._database["items"].aggregate(steps).to_list(None)
        return {ItemState(group["_id"]): group["count"] for group in found}

    @plain_errors
    async def has_open_items(self, workspace_id: str, job_id: str) -> bool:
        given = {"workspace_id": workspace_id, "job_id": job_id, "state": {"$in": names(OPEN)}}
        return await self._database["items"].find_one(given, {"_id": 1}) is not None

    @plain_errors
    async def release_items(self, workspace_id: str, job_id: str, limit: int) -> list[str]:
        """A mark of this call says which of them it, and not another at the same time, has moved."""
        pending, mark = str(ItemState.PENDING), uuid4().hex
        given = {"workspace_id": workspace_id, "job_id": job_id, "state": pending}
        found = await page(self._database["items"].find(given, {"id": 1}), limit)
        among = {"_id": {"$in": [document["_id"] for document in found]}}
        change = {"$set": {"state": str(ItemState.RELEASED), "released_by": mark}}
        moved = await self._database["items"].update_many({**among, "state": pending}, change)
        if moved.modified_count < len(found):
            found = await page(self._database["items"].find({**among, "released_by": mark}, {"id": 1}), limit)
        return [document["id"] for document in found]

    @plain_errors
    async def leave_out_pending(self, workspace_id: str, job_id: str, reason: str) -> int:
        given = {"workspace_id": workspace_id, "job_id": job_id, "state": str(ItemState.PENDING)}
        change = {"$set": {"state": str(ItemState.LEFT_OUT), "reason": encode(reason)}}
        return int((await self._database["items"].update_many(given, change)).modified_count)

    @plain_errors
    async def count_in_flight(self, workspace_id: str, job_id: str) -> int:
        given = {"workspace_id": workspace_id, "job_id": job_id, "state": {"$in": _IN_FLIGHT}}
        return int(await self._database["items"].count_documents(given))

    @plain_errors
    async def move_item(
        self,
        workspace_id: str,
        job_id: str,
        item_id: str,
        origin: Collection[ItemState],
        target: ItemState,
        **changes: Any,
    ) -> bool:
        key = key_of(workspace_id, job_id, item_id)
        return await self._move("items", key, names(origin), ITEM.changes(target, changes))

    @plain_errors
    async def assign_items(self, workspace_id: str, job_id: str, fence: int, found: Sequence[Assignment]) -> None:
        for part in slices(found, SLICE):
            writes = [
                UpdateOne(
                    {"_id": key_of(workspace_id, job_id, one.item_id), "fence": {"$lte": fence}},
                    {"$set": {**assigned(one), "fence": fence}},
                )
                for one in part
            ]
            await self._database["items"].bulk_write(writes, ordered=False)

    # Leases

    @plain_errors
    async def acquire_lease(self, name: str, owner: str, seconds: float) -> int | None:
        """Look, then set if nothing has changed since; look again where another was faster."""
        while True:
            at = now()
            seen = await self._database.leases.find_one({"_id": name})
            lease = Lease(seen["owner"], seen["until"], seen["fence"]) if seen else Lease()
            if (fence := lease.fence_for(owner, at)) is None:
                return None
            document = {"owner": owner, "until": lapse(at, seconds), "fence": fence}
            if seen is None:
                won = await self._insert("leases", {"_id": name, **document})
            else:
                won = (await self._database.leases.update_one(seen, {"$set": document})).matched_count == 1
            if won:
                return fence

    @plain_errors
    async def renew_lease(self, name: str, owner: str, seconds: float) -> bool:
        change = {"$set": {"until": lapse(now(), seconds)}}
        return bool((await self._database.leases.update_one({"_id": name, "owner": owner}, change)).matched_count)

    @plain_errors
    async def release_lease(self, name: str, owner: str) -> None:
        await self._database.leases.update_one({"_id": name, "owner": owner}, {"$set": {"owner": None}})

    # Reports

    @plain_errors
    async def save_report(self, report: Report) -> None:
        key = key_of(report.workspace_id, report.job_id, report.fence)
        ids = {"workspace_id": report.workspace_id, "job_id": report.job_id}
        await self._replace("reports", [{"_id": key, **ids, "document": pack(report.model_dump())}])

    @plain_errors
    async def report(self, workspace_id: str, job_id: str, fence: int) -> Report | None:
        found = await self._database.reports.find_one({"_id": key_of(workspace_id, job_id, fence)})
        return Report.model_validate(unpack(found["document"])) if found else None


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Our defaults for what the URL leaves open."""
    named = {name.lower() for name in given}
    ours = {"serverSelectionTimeoutMS": PATIENCE_MS, "appname": "insights"}
    return {name: value for name, value in ours.items() if name.lower() not in named}
