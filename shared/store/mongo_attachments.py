"""Attachments of runs in MongoDB: in chunks under a version, which are written before the document that names it."""

from collections.abc import Collection, Mapping, Sequence
from secrets import token_bytes
from typing import Any
from uuid import uuid4

from shared.models import Attachment, StoredAttachment
from shared.store.mongo_calls import MongoCalls, chunked, key_of, plain_errors


class MongoAttachments(MongoCalls):
    @plain_errors
    async def save_attachments(self, attachments: Sequence[StoredAttachment]) -> None:
        for one in attachments:
            await self._save_attachment(one.attachment, one.body)

    @plain_errors
    async def attachments(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, list[Attachment]]:
        found: dict[str, list[Attachment]] = {}
        for document in await self._among("attachments", "run_id", run_ids, workspace_id=workspace_id):
            one = Attachment.model_validate(document)
            found.setdefault(one.run_id, []).append(one)
        return {run_id: sorted(some, key=lambda one: one.name) for run_id, some in found.items()}

    @plain_errors
    async def attachment(self, workspace_id: str, run_id: str, name: str) -> StoredAttachment | None:
        key = key_of(workspace_id, run_id, name)
        while (document := await self._database.attachments.find_one({"_id": key})) is not None:
            keys = _chunk_keys(document)
            chunks = {one["_id"]: one["body"] for one in await self._among("attachment_chunks", "_id", keys)}
            if len(chunks) == len(keys):
                return StoredAttachment(Attachment.model_validate(document), b"".join(chunks[at] for at in keys))
            if await self._database.attachments.find_one({"_id": key, "version": document["version"]}):
                return None  # not replaced meanwhile, but damaged
        return None

    @plain_errors
    async def signing_key(self) -> bytes:
        await self._insert("signing_keys", {"_id": 0, "key": token_bytes(32)})
        return bytes((await self._database.signing_keys.find_one({"_id": 0}))["key"])

    async def _save_attachment(self, attachment: Attachment, body: bytes) -> None:
        key, version = key_of(attachment.workspace_id, attachment.run_id, attachment.name), uuid4().hex
        chunks = chunked(body)
        document = {"_id": key, **attachment.model_dump(), "version": version, "count": len(chunks)}
        keys = _chunk_keys(document)
        for at, chunk in zip(keys, chunks, strict=True):
            await self._insert("attachment_chunks", {"_id": at, "body": chunk})
        old = await self._database.attachments.find_one_and_replace({"_id": key}, document, upsert=True)
        if old is not None:
            await self._database.attachment_chunks.delete_many({"_id": {"$in": _chunk_keys(old)}})


def _chunk_keys(document: Mapping[str, Any]) -> list[str]:
    return [key_of(document["_id"], document["version"], place) for place in range(document["count"])]
