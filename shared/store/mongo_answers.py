"""Answers of models and the bill of each job in MongoDB."""

from collections.abc import Collection, Mapping
from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.models import Spending, Stage
from shared.store.documents import COUNTED, SPENDING, sorted_bill
from shared.store.mongo_calls import MongoCalls, key_of, plain_errors


class MongoAnswers(MongoCalls):
    @plain_errors
    async def answers(self, workspace_id: str, keys: Collection[str]) -> dict[str, bytes]:
        found = await self._among("answers", "_id", [key_of(workspace_id, key) for key in keys])
        return {document["key"]: document["body"] for document in found}

    @plain_errors
    async def keep_answers(self, workspace_id: str, answers: Mapping[Stage, Mapping[str, bytes]]) -> None:
        documents = (
            {
                "_id": key_of(workspace_id, key),
                "workspace_id": workspace_id,
                "key": key,
                "stage": str(stage),
                "size": len(body),
                "body": body,
            }
            for stage, some in answers.items()
            for key, body in some.items()
        )
        await self._replace("answers", documents)

    @plain_errors
    async def count_answers(self, workspace_id: str | None = None) -> dict[Stage, tuple[int, int]]:
        steps = [
            {"$match": _of(workspace_id)},
            {"$group": {"_id": "$stage", "count": {"$sum": 1}, "size": {"$sum": "$size"}}},
        ]
        found = await self._database.answers.aggregate(steps).to_list(None)
        return {Stage(group["_id"]): (group["count"], group["size"]) for group in found}

    @plain_errors
    async def clear_answers(self, workspace_id: str | None = None) -> int:
        return int((await self._database.answers.delete_many(_of(workspace_id))).deleted_count)

    @plain_errors
    async def add_spending(self, workspace_id: str, job_id: str, spending: Spending) -> None:
        row = SPENDING.row(spending)
        place = {"workspace_id": workspace_id, "job_id": job_id, "stage": row["stage"], "model": row["model"]}
        marked = {"$set": {"estimated": True}} if spending.estimated else {}
        change = {"$inc": {name: row[name] for name in COUNTED}, "$setOnInsert": place, **marked}
        try:
            await self._add(list(place.values()), change)
        except DuplicateKeyError:  # another made it in the meantime, as MongoDB allows of two that insert together
            await self._add(list(place.values()), change)

    @plain_errors
    async def spending(self, workspace_id: str, job_id: str) -> list[Spending]:
        cursor = self._database.spending.find({"workspace_id": workspace_id, "job_id": job_id})
        return sorted_bill(SPENDING.load(document) for document in await cursor.to_list(None))

    async def _add(self, place: list[str], change: dict[str, Any]) -> None:
        await self._database.spending.update_one({"_id": key_of(*place)}, change, upsert=True)


def _of(workspace_id: str | None) -> dict[str, str]:
    return {} if workspace_id is None else {"workspace_id": workspace_id}
