"""API keys of the caller's workspace, for its admins: made, listed and revoked as by `insights keys`."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.access import Admin, StoreDep
from services.gateway.bodies import read_json
from shared.access import NAME_LENGTH, ApiKey, Role, new_key
from shared.ending import now
from shared.job_config import sentence

routes = APIRouter(prefix="/api-key")


class KeyCreate(BaseModel):
    """`role` is ours; LangSmith's `read_only` makes a reader."""

    model_config = ConfigDict(extra="ignore")

    description: str = Field(min_length=1, max_length=NAME_LENGTH)
    role: Role = Role.WRITER
    read_only: bool = False


@routes.get("")
async def list_keys(caller: Admin, store: StoreDep) -> list[dict[str, Any]]:
    """Those that are valid."""
    return [_shown(key) for key in await store.api_keys(caller.workspace_id) if key.revoked_at is None]


@routes.post("")
async def create_key(request: Request, caller: Admin, store: StoreDep) -> dict[str, Any]:
    """`key` is in this answer and nowhere else."""
    try:
        wanted = KeyCreate.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    role = Role.READER if wanted.read_only else wanted.role
    key, text = new_key(caller.workspace_id, wanted.description, role, now())
    await store.insert_api_key(key)
    return _shown(key) | {"key": text}


@routes.delete("/{api_key_id}")
async def revoke_key(api_key_id: UUID, caller: Admin, store: StoreDep) -> dict[str, str]:
    if not await store.revoke_api_key(caller.workspace_id, str(api_key_id), now()):
        raise HTTPException(404, f"There is no valid API key {api_key_id}.")
    return {"id": str(api_key_id), "message": "The key is revoked."}


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "short_key": f"…{key.hint}",
        "description": key.name,
        "role": key.role,
        "read_only": key.role is Role.READER,
        "created_at": _time(key.created_at),
        "last_used_at": _time(key.last_used),
    }


def _time(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1_000_000, UTC).isoformat()
