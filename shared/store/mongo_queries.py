"""Finding runs in MongoDB."""

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, DESCENDING, UpdateOne

from shared.models import Run
from shared.store.documents import load_run
from shared.store.mongo_calls import SLICE, MongoCalls, plain_errors
from shared.store.queries import TEXTS, Place, Wanted, indexed, text_key

RUN_INDEXES: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("runs", "by_time", ("workspace_id", "project_id", "time", "id"), {}),
    ("runs", "by_status", ("workspace_id", "project_id", "status", "time", "id"), {}),
    ("runs", "by_thread", ("workspace_id", "project_id", "thread_id", "time", "id"), {}),
)


class MongoQueries(MongoCalls):
    @plain_errors
    async def find_runs(
        self, wanted: Wanted, *, after: Place | None = None, newest_first: bool = True, limit: int = 1_000
    ) -> list[Run]:
        if limit < 1:
            return []
        given = _given(wanted)
        if after is not None:
            past = "$lt" if newest_first else "$gt"
            given["$or"] = [{"time": {past: after[0]}}, {"time": after[0], "id": {past: after[1]}}]
            given["time"] = given.get("time", {}) | _tighter(given.get("time", {}), past + "e", after[0])
        order = DESCENDING if newest_first else ASCENDING
        cursor = self._database.runs.find(given, {"document": 1}).sort([("time", order), ("id", order)]).limit(limit)
        return [load_run(document["document"]) for document in await cursor.to_list(None)]

    @plain_errors
    async def count_runs(self, wanted: Wanted) -> int:
        return int(await self._database.runs.count_documents(_given(wanted)))

    async def _fill_in(self) -> None:
        """The fields by which runs are found, of runs that an earlier version saved."""
        runs = self._database.runs
        while found := await runs.find({"time": {"$exists": False}}, {"document": 1}).limit(SLICE).to_list(None):
            writes = [UpdateOne({"_id": one["_id"]}, {"$set": indexed(load_run(one["document"]))}) for one in found]
            await runs.bulk_write(writes, ordered=False)


def _tighter(bounds: Mapping[str, int], name: str, value: int) -> dict[str, int]:
    """The bound that is the narrower of what there is and `value`."""
    choose = min if name == "$lte" else max
    return {name: choose(bounds[name], value) if name in bounds else value}


def _given(wanted: Wanted) -> dict[str, Any]:
    window = {name: bound for name, bound in (("$gte", wanted.earliest), ("$lte", wanted.latest)) if bound is not None}
    before = wanted.received_before
    given: dict[str, Any] = {
        "workspace_id": wanted.workspace_id,
        "project_id": wanted.project_id,
        "trace_id": wanted.trace_id,
        "root": wanted.root,
        "time": window or None,
        "start_time": window or None,
        "received_at": None if before is None else {"$lt": before},
    }
    for name in TEXTS:
        texts = getattr(wanted, name)
        given[name] = None if texts is None else {"$in": [text_key(text) for text in texts]}
    if wanted.ended:
        given["status"] = {"$ne": text_key("pending"), **(given["status"] or {})}
    return {name: value for name, value in given.items() if value is not None}
