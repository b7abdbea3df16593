"""Saved configurations in MongoDB."""

from typing import Any

from pymongo import DESCENDING

from shared.models import SavedConfig
from shared.store.documents import SAVED_CONFIG
from shared.store.mongo_calls import MongoCalls, key_of, plain_errors


class MongoConfigs(MongoCalls):
    @plain_errors
    async def insert_config(self, config: SavedConfig) -> bool:
        return await self._insert("configs", _document(config))

    @plain_errors
    async def config(self, workspace_id: str, config_id: str) -> SavedConfig | None:
        found = await self._database["configs"].find_one({"_id": key_of(workspace_id, config_id)})
        return SAVED_CONFIG.load(found) if found else None

    @plain_errors
    async def configs(self, workspace_id: str, project_id: str, *, limit: int = 1_000) -> list[SavedConfig]:
        cursor = self._database["configs"].find({"workspace_id": workspace_id, "project_id": project_id})
        newest = [("created_at", DESCENDING), ("id", DESCENDING)]
        return [SAVED_CONFIG.load(document) for document in await cursor.sort(newest).limit(limit).to_list(None)]

    @plain_errors
    async def replace_config(self, config: SavedConfig, version: int) -> bool:
        document = _document(config)
        was = {"_id": document["_id"], "version": version}
        return bool((await self._database["configs"].replace_one(was, document)).matched_count)

    @plain_errors
    async def delete_config(self, workspace_id: str, config_id: str) -> None:
        await self._database["configs"].delete_one({"_id": key_of(workspace_id, config_id)})


def _document(config: SavedConfig) -> dict[str, Any]:
    return {"_id": key_of(config.workspace_id, config.id), **SAVED_CONFIG.row(config)}
