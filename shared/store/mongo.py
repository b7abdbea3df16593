"""The store in MongoDB: no transactions; every race is decided by the filter of one update.

Nothing is counted up but the bill (`mongo_answers.py`): an event comes more than once, but a call is paid each time.
`_id` is the natural key in one string (`key_of`), so that a duplicate key means that the document exists. A run is
written after its bodies, so that whoever sees it finds them. A body of more than CHUNK bytes lies in chunks whose key
holds the body's hash, so that two writers of one run never mix.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Self, get_args
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, UpdateOne, WriteConcern
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import parse_uri

from shared.bodies import pack, unpack
from shared.ending import now
from shared.errors import RefusedError, UnavailableError, UsageError
from shared.models import OPEN, Assignment, BodyPart, Item, ItemState, Job, JobState, Plan, Project, Report, Run
from shared.models import StoredRun as Stored
from shared.store.documents import (
    ITEM,
    JOB,
    PROJECT,
    assigned,
    dump_run,
    encode,
    load_run,
    names,
    slices,
    trace_order,
    without_twins,
)
from shared.store.leases import Lease, lapse
from shared.store.mongo_answers import MongoAnswers
from shared.store.mongo_calls import SLICE, key_of, plain_errors
from shared.store.mongo_configs import MongoConfigs
from shared.store.mongo_places import MongoPlaces

CHUNK = 8_000_000
PATIENCE_MS = 5_000
_PARTS: tuple[BodyPart, ...] = get_args(BodyPart)
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
    ("answers", "by_stage", ("workspace_id", "stage", "size"), {}),
)


class MongoStore(MongoAnswers, MongoPlaces, MongoConfigs):
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

    # Projects

    @plain_errors
    async def insert_project(self, project: Project) -> Project:
        key = key_of(project.workspace_id, project.id)
        await self._insert("projects", {"_id": key, **PROJECT.row(project)})
        return PROJECT.load(await self._database.projects.find_one({"_id": key}))

    @plain_errors
    async def project(self, workspace_id: str, project_id: str) -> Project | None:
        found = await self._database.projects.find_one({"_id": key_of(workspace_id, project_id)})
        return PROJECT.load(found) if found else None

    @plain_errors
    async def project_named(self, workspace_id: str, name: str) -> Project | None:
        given = {"workspace_id": workspace_id, "name": encode(name)}
        found = await self._database.projects.find_one(given, sort=_by("created_at", "id"))
        return PROJECT.load(found) if found else None

    @plain_errors
    async def set_project_source(self, workspace_id: str, project_id: str, source: Mapping[str, Any]) -> None:
        change = {"$set": {"source": encode(dict(source))}}
        await self._database.projects.update_one({"_id": key_of(workspace_id, project_id)}, change)

    # Runs

    @plain_errors
    async def save_runs(self, runs: Sequence[Stored]) -> None:
        latest = without_twins(runs)
        heads = [head for stored in latest for head in await self._save_chunks(stored)]
        gone = [key for stored in latest for key in _absent(stored)]
        await self._replace("bodies", heads)
        for part in slices(gone, SLICE):
            await self._database.bodies.delete_many({"_id": {"$in": part}})
        await self._replace("runs", [_run_document(stored.run) for stored in latest])

    @plain_errors
    async def runs(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, Run]:
        keys = [key_of(workspace_id, run_id) for run_id in run_ids]
        found = await self._among("runs", "_id", keys)
        return {document["id"]: load_run(document["document"]) for document in found}

    @plain_errors
    async def trace_runs(self, workspace_id: str, trace_ids: Collection[str]) -> list[Run]:
        found = await self._among("runs", "trace_id", trace_ids, workspace_id=workspace_id)
        return sorted((load_run(document["document"]) for document in found), key=trace_order)

    @plain_errors
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
        window = {"$gte": start, "$lt": end}
        given = {
            "workspace_id": workspace_id,
            "project_id": project_id,
            "root": True,
            "id": {"$gt": after or ""},
            "start_time": {name: bound for name, bound in window.items() if bound is not None},
            "received_at": {"$lt": received_before} if received_before is not None else {},
        }
        given = {name: value for name, value in given.items() if value != {}}
        found = await _page(self._database.runs.find(given, {"document": 1}), limit)
        return [load_run(document["document"]) for document in found]

    @plain_errors
    async def bodies(
        self, workspace_id: str, run_ids: Collection[str], parts: Collection[BodyPart]
    ) -> dict[str, dict[BodyPart, bytes]]:
        keys = [key_of(workspace_id, run_id, part) for run_id in run_ids for part in parts]
        found: dict[str, dict[BodyPart, bytes]] = {}
        for head in await self._among("bodies", "_id", keys):
            body = head["body"] if head["more"] == 0 else await self._whole(head)
            found.setdefault(head["run_id"], {})[head["part"]] = body
        return found

    async def _save_chunks(self, stored: Stored) -> list[dict[str, Any]]:
        """The head of each body of the run, not yet written; the chunks behind it, written."""
        heads = []
        for part, body in stored.bodies.items():
            key = key_of(stored.run.workspace_id, stored.run.id, part)
            rest = [body[at : at + CHUNK] for at in range(CHUNK, len(body), CHUNK)]
            digest = blake2b(body, digest_size=16).hexdigest() if rest else ""
            for place, chunk in enumerate(rest):
                await self._replace("bodies", [{"_id": key_of(key, digest, place), "body": chunk}])
            head = {"_id": key, "run_id": stored.run.id, "part": part, "body": body[:CHUNK]}
            heads.append({**head, "more": len(rest), "digest": digest})
        return heads

    async def _whole(self, head: Mapping[str, Any]) -> bytes:
        keys = [key_of(head["_id"], head["digest"], place) for place in range(head["more"])]
        chunks = {chunk["_id"]: chunk["body"] for chunk in await self._among("bodies", "_id", keys)}
        if missing := len(keys) - len(chunks):
            raise RefusedError(f"{missing} chunks of body {head['_id']} are missing: send this run again.")
        return b"".join((head["body"], *(chunks[key] for key in keys)))

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
        return [JOB.load(document) for document in await _page(cursor, limit, "created_at", "id")]

    @plain_errors
    async def unannounced_jobs(self, created_before: int) -> list[Job]:
        cursor = self._database.jobs.find({"announced": False, "created_at": {"$lt": created_before}})
        return [JOB.load(document) for document in await cursor.sort(_by("created_at", "id")).to_list(None)]

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
        return [ITEM.load(document) for document in await _page(cursor, limit)]

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
        found = await _page(self._database["items"].find(given, {"id": 1}), limit)
        among = {"_id": {"$in": [document["_id"] for document in found]}}
        change = {"$set": {"state": str(ItemState.RELEASED), "released_by": mark}}
        moved = await self._database["items"].update_many({**among, "state": pending}, change)
        if moved.modified_count < len(found):
            found = await _page(self._database["items"].find({**among, "released_by": mark}, {"id": 1}), limit)
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


def _by(*fields: str) -> list[tuple[str, int]]:
    return [(field, ASCENDING) for field in fields]


async def _page(cursor: Any, limit: int, *fields: str) -> list[dict[str, Any]]:
    """At most `limit` documents, sorted by `fields`, or by id. MongoDB reads a limit of 0 as none."""
    if limit < 1:
        return []
    found: list[dict[str, Any]] = await cursor.sort(_by(*(fields or ("id",)))).limit(limit).to_list(None)
    return found


def _absent(stored: Stored) -> list[str]:
    """The keys of the bodies that a run, as it is now, does not have."""
    return [
        key_of(stored.run.workspace_id, stored.run.id, part) for part in _PARTS if not stored.bodies.keys() & {part}
    ]


def _run_document(run: Run) -> dict[str, Any]:
    return {
        "_id": key_of(run.workspace_id, run.id),
        "workspace_id": run.workspace_id,
        "id": run.id,
        "project_id": run.project_id,
        "trace_id": run.trace_id,
        "root": run.parent_run_id is None,
        "start_time": run.start_time,
        "received_at": run.received_at,
        "document": dump_run(run),
    }
