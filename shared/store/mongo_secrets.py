"""Sealed secrets in MongoDB."""

from pymongo import ASCENDING

from shared.secrets import Secret
from shared.store.documents import SECRET
from shared.store.mongo_calls import MongoCalls, key_of, plain_errors

_ORDER = [("workspace_id", ASCENDING), ("key", ASCENDING)]


class MongoSecrets(MongoCalls):
    @plain_errors
    async def save_secret(self, secret: Secret) -> None:
        document = {"_id": key_of(secret.workspace_id, secret.key), **SECRET.row(secret)}
        await self._replace("secrets", [document])

    @plain_errors
    async def secret(self, workspace_id: str, key: str) -> Secret | None:
        found = await self._database.secrets.find_one({"_id": key_of(workspace_id, key)})
        return SECRET.load(found) if found else None

    @plain_errors
    async def secrets(self, workspace_id: str | None = None) -> list[Secret]:
        given = {} if workspace_id is None else {"workspace_id": workspace_id}
        return [SECRET.load(one) for one in await self._database.secrets.find(given).sort(_ORDER).to_list(None)]

    @plain_errors
    async def delete_secret(self, workspace_id: str, key: str) -> bool:
        found = await self._database.secrets.delete_one({"_id": key_of(workspace_id, key)})
        return bool(found.deleted_count)

    @plain_errors
    async def reseal_secret(self, workspace_id: str, key: str, before: str, after: str) -> bool:
        given = {"_id": key_of(workspace_id, key), "sealed": before}
        return bool((await self._database.secrets.update_one(given, {"$set": {"sealed": after}})).matched_count)
