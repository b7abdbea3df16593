"""Keys of model providers, which the workspace's jobs ask models with. They come in, and never out."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.gateway.access import Admin, Reader, StoreDep
from services.gateway.bodies import read_json
from shared.job_config import sentence
from shared.secrets import PROVIDERS, HostConfig, Secret, SecretName, SecretValue
from shared.store import Store
from shared.vault import MISSING, Vault

MOST = 100  # secrets of a workspace
PRETENDED = "OPENAI_API_KEY"  # LangSmith's client refuses to begin where no provider's key is stored

routes = APIRouter(prefix="/workspaces/current/secrets")
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
Hosts = Annotated[tuple[HostConfig, ...], Field(max_length=20)]


class SecretUpdate(BaseModel):
    """What is left out, or null, stays as it is."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    value: SecretValue | None = None
    configs: Hosts | None = None


class NamedSecret(SecretUpdate):
    key: SecretName


_LIST = TypeAdapter(Annotated[list[NamedSecret], Field(max_length=MOST)])


@routes.get("")
async def list_secrets(caller: Reader, store: StoreDep, include_configs: bool = False) -> list[dict[str, Any]]:
    """The names. A provider's key is among them even where none is stored: jobs then run on the local engine."""
    stored = await store.secrets(caller.workspace_id)
    if not any(secret.key in PROVIDERS for secret in stored if secret.sealed):
        stored = [secret for secret in stored if secret.key != PRETENDED]
        stored.append(Secret(workspace_id=caller.workspace_id, key=PRETENDED))
    return [_shown(secret) if include_configs else {"key": secret.key} for secret in stored]


@routes.post("")
async def save_secrets(request: Request, caller: Admin, store: StoreDep) -> list[dict[str, Any]]:
    """`[{key, value, configs?}]`; LangSmith's client sends null for a key that its user did not give."""
    try:
        given = _LIST.validate_python(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from None
    wanted = [one for one in given if one.value is not None or one.configs is not None]
    return [_shown(await _save(request, store, caller.workspace_id, one.key, one)) for one in wanted]


@routes.put("/{key}")
async def save_secret(request: Request, key: Name, caller: Admin, store: StoreDep) -> dict[str, Any]:
    try:
        given = SecretUpdate.model_validate(await read_json(request))
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from None
    return _shown(await _save(request, store, caller.workspace_id, key, given))


@routes.delete("/{key}")
async def delete_secret(key: Name, caller: Admin, store: StoreDep) -> dict[str, str]:
    if not await store.delete_secret(caller.workspace_id, key):
        raise HTTPException(404, f"No secret {key} is stored.")
    return {"key": key, "message": "The secret is deleted."}


async def _save(request: Request, store: Store, workspace_id: str, key: str, given: SecretUpdate) -> Secret:
    before = await store.secret(workspace_id, key)
    if before is None and len(await store.secrets(workspace_id)) >= MOST:
        raise HTTPException(422, f"A workspace keeps at most {MOST} secrets: delete one first.")
    secret = before or Secret(workspace_id=workspace_id, key=key)
    if given.value is not None:
        vault: Vault | None = request.app.state.vault
        if vault is None:
            raise HTTPException(400, MISSING)
        secret = secret.model_copy(update={"sealed": vault.seal(given.value)})
    if given.configs is not None:
        secret = secret.model_copy(update={"configs": given.configs})
    await store.save_secret(secret)
    return secret


def _shown(secret: Secret) -> dict[str, Any]:
    return {"key": secret.key, "configs": [one.model_dump() for one in secret.configs]}
