"""Items by their place in the report, in MongoDB."""

from collections.abc import Collection, Mapping
from typing import Any

from pymongo import ASCENDING

from shared.models import Item
from shared.store.documents import ITEM
from shared.store.mongo_calls import MongoCalls, key_of, plain_errors


class MongoPlaces(MongoCalls):
    @plain_errors
    async def items_at(self, workspace_id: str, job_id: str, places: Collection[int]) -> list[Item]:
        given: dict[str, Any] = {"workspace_id": workspace_id, "job_id": job_id, "place": {"$in": list(places)}}
        cursor = self._database["items"].find(given, {"features": 0}).sort([("place", ASCENDING)])
        return [ITEM.load(document) for document in await cursor.to_list(None)]

    @plain_errors
    async def save_orders(self, workspace_id: str, job_id: str, fence: int, orders: Mapping[str, bytes]) -> None:
        ids = {"workspace_id": workspace_id, "job_id": job_id}
        documents = ({"_id": key_of(*ids.values(), fence, name), **ids, "body": body} for name, body in orders.items())
        await self._replace("orders", documents)

    @plain_errors
    async def order(self, workspace_id: str, job_id: str, fence: int, name: str) -> bytes | None:
        found = await self._database["orders"].find_one({"_id": key_of(workspace_id, job_id, fence, name)})
        return bytes(found["body"]) if found else None
