"""Projects in MongoDB."""

from collections.abc import Collection
from typing import Any

from pymongo import DESCENDING, DeleteMany

from shared.models import Project
from shared.store.documents import PROJECT, encode
from shared.store.mongo_calls import MongoCalls, by, key_of, plain_errors


class MongoProjects(MongoCalls):
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
        found = await self._database.projects.find_one(given, sort=by("created_at", "id"))
        return PROJECT.load(found) if found else None

    @plain_errors
    async def projects(self, workspace_id: str) -> list[Project]:
        cursor = self._database.projects.find({"workspace_id": workspace_id})
        found = await cursor.sort([("created_at", DESCENDING), ("id", DESCENDING)]).to_list(None)
        return [PROJECT.load(document) for document in found]

    @plain_errors
    async def update_project(self, workspace_id: str, project_id: str, **changes: Any) -> None:
        change = {"$set": PROJECT.sets(changes)}
        await self._database.projects.update_one({"_id": key_of(workspace_id, project_id)}, change)

    @plain_errors
    async def delete_project_runs(self, workspace_id: str, project_id: str, limit: int = 500) -> int:
        """The runs go last: a delete that was cut short can be done again."""
        given = {"workspace_id": workspace_id, "project_id": project_id}
        found = await self._database.runs.find(given, {"id": 1}).limit(limit).to_list(None)
        keys = [document["_id"] for document in found]
        runs = {"workspace_id": workspace_id, "run_id": {"$in": [document["id"] for document in found]}}
        await self._database.feedback.delete_many(runs)
        await self._delete_below("attachments", [f"{key}/" for key in keys])
        await self._delete_below("attachment_chunks", [f"{key_of(key)}%2F" for key in keys])
        await self._delete_below("bodies", [f"{key_of(key)}/" for key in keys])
        await self._database.runs.delete_many({"_id": {"$in": keys}})
        return len(keys)

    @plain_errors
    async def delete_project(self, workspace_id: str, project_id: str) -> None:
        await self._database.feedback.delete_many({"workspace_id": workspace_id, "project_id": project_id})
        await self._database.projects.delete_one({"_id": key_of(workspace_id, project_id)})

    async def _delete_below(self, collection: str, heads: Collection[str]) -> None:
        """All whose key begins with one of these."""
        ranges = [{"$gte": head, "$lt": head[:-1] + chr(ord(head[-1]) + 1)} for head in heads]
        if ranges:
            await self._database[collection].bulk_write([DeleteMany({"_id": one}) for one in ranges], ordered=False)
