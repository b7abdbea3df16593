"""Attachments of runs: an address that holds for a while and needs no key, as LangSmith's clients fetch them."""

import hashlib
import hmac
import json
import time
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Response

from services.gateway.access import Caller, StoreDep
from shared.models import Attachment, Run
from shared.store import Store

LIFETIME = 3_600  # seconds
OPAQUE = "application/octet-stream"
_SAFE = frozenset(  # what no browser runs; it is offered as a download all the same
    f"{kind}/{name}"
    for kind, names in {
        "image": ("png", "jpeg", "gif", "webp", "avif"),
        "audio": ("mpeg", "mp4", "ogg", "wav", "webm", "aac", "flac"),
        "video": ("mp4", "webm", "ogg", "quicktime"),
        "text": ("plain", "csv"),
        "application": ("pdf", "json"),
    }.items()
    for name in names
)

routes = APIRouter()


async def attachment_urls(store: Store, caller: Caller, run: Run) -> dict[str, Any]:
    """A run's `s3_urls`: `attachment.<name>` → presigned_url, relative to the API, and mime_type."""
    return (await attachment_urls_of(store, caller, [run.id])).get(run.id, {})


async def attachment_urls_of(store: Store, caller: Caller, run_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """The same of many runs, by run; one that has no attachments is not in it."""
    found = await store.attachments(caller.workspace_id, run_ids)
    if not found:
        return {}
    key, until = await store.signing_key(), int(time.time()) + LIFETIME
    return {
        run_id: {
            f"attachment.{one.name}": {"presigned_url": _url(key, one, until), "mime_type": one.mime_type}
            for one in attachments
        }
        for run_id, attachments in found.items()
    }


@routes.get("/attachments/{run_id}")
async def read_attachment(
    run_id: str, name: str, workspace: str, until: int, signature: str, store: StoreDep
) -> Response:
    """The signature is the right to read it; it is checked before anything is looked up."""
    expected = _signature(await store.signing_key(), workspace, run_id, name, until)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise HTTPException(403, "This address of an attachment is not one of ours: take it from the run's s3_urls.")
    if until < time.time():
        raise HTTPException(403, "This address of an attachment has expired: read its run again for a new one.")
    found = await store.attachment(workspace, run_id, name)
    if found is None:
        raise HTTPException(404, "There is no such attachment any more.")
    mime_type = found.attachment.mime_type.lower()
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(found.body, media_type=mime_type if mime_type in _SAFE else OPAQUE, headers=headers)


def _url(key: bytes, one: Attachment, until: int) -> str:
    signature = _signature(key, one.workspace_id, one.run_id, one.name, until)
    query = {"name": one.name, "workspace": one.workspace_id, "until": until, "signature": signature}
    return f"/attachments/{one.run_id}?{urlencode(query, quote_via=quote, safe='')}"


def _signature(key: bytes, workspace_id: str, run_id: str, name: str, until: int) -> str:
    signed = json.dumps([workspace_id, run_id, name, until]).encode("ascii")
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
