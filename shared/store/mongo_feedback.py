"""Feedback in MongoDB."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from pymongo import DESCENDING, ReplaceOne, UpdateMany
from pymongo.errors import BulkWriteError

from shared.feedback import FeedbackRecord, WantedFeedback
from shared.models import Run
from shared.store.documents import FEEDBACK, encode, slices
from shared.store.mongo_calls import SLICE, TAKEN, MongoCalls, key_of, plain_errors

_TRIES = 3


class MongoFeedback(MongoCalls):
    @plain_errors
    async def save_feedback(self, records: Sequence[FeedbackRecord]) -> None:
        """An upsert that finds the key taken met a newer one, or another that came at the same time: it looks again."""
        latest: dict[str, FeedbackRecord] = {}
        for one in records:
            key = key_of(one.workspace_id, one.id)
            if key not in latest or one.modified_at >= latest[key].modified_at:
                latest[key] = one
        for some in slices(latest.items(), SLICE):
            writes = [
                ReplaceOne(
                    {"_id": key, "modified_at": {"$lte": one.modified_at}},
                    {"_id": key, **FEEDBACK.row(one)},
                    upsert=True,
                )
                for key, one in some
            ]
            for _ in range(_TRIES):
                writes = [writes[place] for place in await self._taken(writes)]
                if not writes:
                    break

    @plain_errors
    async def feedback_by_id(self, workspace_id: str, feedback_ids: Collection[str]) -> dict[str, FeedbackRecord]:
        keys = [key_of(workspace_id, feedback_id) for feedback_id in feedback_ids]
        return {document["id"]: FEEDBACK.load(document) for document in await self._among("feedback", "_id", keys)}

    @plain_errors
    async def feedback(self, wanted: WantedFeedback, *, offset: int = 0, limit: int = 100) -> list[FeedbackRecord]:
        asked = {
            "run_id": wanted.run_ids,
            "project_id": wanted.project_ids,
            "key": [encode(key) for key in wanted.keys],
            "source": [encode(source) for source in wanted.sources],
        }
        given: dict[str, Any] = {field: {"$in": list(values)} for field, values in asked.items() if values}
        cursor = self._database.feedback.find({"workspace_id": wanted.workspace_id, **given})
        cursor = cursor.sort([("created_at", DESCENDING), ("id", DESCENDING)]).skip(offset).limit(limit)
        return [FEEDBACK.load(document) for document in await cursor.to_list(None)]

    @plain_errors
    async def update_feedback(self, workspace_id: str, feedback_id: str, **changes: Any) -> bool:
        given = {"_id": key_of(workspace_id, feedback_id)}
        return bool((await self._database.feedback.update_one(given, {"$set": FEEDBACK.sets(changes)})).matched_count)

    @plain_errors
    async def delete_feedback(self, workspace_id: str, feedback_id: str) -> None:
        await self._database.feedback.delete_one({"_id": key_of(workspace_id, feedback_id)})

    @plain_errors
    async def feedback_scores(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, dict[str, list[Any]]]:
        found: dict[str, dict[str, list[Any]]] = {}
        for some in slices(run_ids, SLICE):
            given = {"workspace_id": workspace_id, "run_id": {"$in": list(some)}}
            cursor = self._database.feedback.find(given, {"run_id": 1, "key": 1, "score": 1})
            for one in await cursor.to_list(None):
                scores = found.setdefault(one["run_id"], {}).setdefault(json.loads(one["key"]), [])
                scores.append(json.loads(one["score"] or "null"))
        return found

    @plain_errors
    async def place_feedback(self, runs: Sequence[Run]) -> None:
        for some in slices(runs, SLICE):
            await self._database.feedback.bulk_write([_placing(run) for run in some], ordered=False)

    async def _taken(self, writes: Sequence[ReplaceOne[dict[str, Any]]]) -> list[int]:
        """The places of those whose key was taken."""
        try:
            await self._database.feedback.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            errors = (error.details or {}).get("writeErrors", [])
            if any(one["code"] != TAKEN for one in errors):
                raise
            return [one["index"] for one in errors]
        return []


def _placing(run: Run) -> UpdateMany:
    given = {"workspace_id": run.workspace_id, "run_id": run.id}
    return UpdateMany(given, {"$set": {"trace_id": run.trace_id, "project_id": run.project_id}})
