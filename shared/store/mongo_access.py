"""Workspaces and API keys in MongoDB."""

from pymongo import ASCENDING

from shared.access import ApiKey, Workspace
from shared.store.documents import API_KEY, WORKSPACE
from shared.store.mongo_calls import MongoCalls, key_of, plain_errors

_ORDER = [("created_at", ASCENDING), ("id", ASCENDING)]


class MongoAccess(MongoCalls):
    @plain_errors
    async def insert_workspace(self, workspace: Workspace) -> None:
        await self._insert("workspaces", {"_id": key_of(workspace.id), **WORKSPACE.row(workspace)})

    @plain_errors
    async def workspaces(self) -> list[Workspace]:
        return [WORKSPACE.load(one) for one in await self._database.workspaces.find().sort(_ORDER).to_list(None)]

    @plain_errors
    async def insert_api_key(self, key: ApiKey) -> None:
        await self._insert("api_keys", {"_id": key.digest, **API_KEY.row(key)})

    @plain_errors
    async def api_key(self, digest: str) -> ApiKey | None:
        found = await self._database.api_keys.find_one({"_id": digest})
        return API_KEY.load(found) if found else None

    @plain_errors
    async def api_keys(self, workspace_id: str | None = None) -> list[ApiKey]:
        given = {} if workspace_id is None else {"workspace_id": workspace_id}
        return [API_KEY.load(one) for one in await self._database.api_keys.find(given).sort(_ORDER).to_list(None)]

    @plain_errors
    async def has_api_keys(self) -> bool:
        return await self._database.api_keys.find_one({}, {"_id": 1}) is not None

    @plain_errors
    async def note_api_key_use(self, digest: str, at: int) -> None:
        await self._database.api_keys.update_one({"_id": digest}, {"$set": {"last_used": at}})

    @plain_errors
    async def revoke_api_key(self, workspace_id: str, key_id: str, at: int) -> bool:
        given = {"workspace_id": workspace_id, "id": key_id, "revoked_at": None}
        change = {"$set": {"revoked_at": at}}
        return bool((await self._database.api_keys.update_one(given, change)).modified_count)
