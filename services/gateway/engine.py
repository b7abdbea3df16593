"""Which engine makes a job that does not say, and why: nobody pays by surprise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.job_body import PROVIDERS
from shared.secrets import PROVIDERS as ADDRESSES
from shared.secrets import workspace_has_key
from shared.store import Store


@dataclass(frozen=True, slots=True)
class Chosen:
    """`base_url`: where a job that does not say so asks; None: at the environment's address."""

    engine: str
    why: str
    base_url: str | None = None


async def choose_engine(store: Store, workspace_id: str, values: Mapping[str, Any]) -> Chosen:
    """Of a request's fields (`job_body.asked`)."""
    if "engine" in values:
        return Chosen(str(values["engine"]), f"Engine {values['engine']}: asked for.")
    provider = str(values.get("model"))
    if provider not in PROVIDERS:
        return Chosen("local", "Engine local, without a model: no provider was named. Ask with engine: model for one.")
    if await workspace_has_key(store, workspace_id, provider):
        why = f"Engine model: {provider} was named, and the workspace has a key for it."
        return Chosen("model", why, ADDRESSES[f"{provider.upper()}_API_KEY"])
    why = f"Engine local, without a model: {provider} was named, but the workspace has stored no key for it."
    return Chosen("local", f"{why} Store one under workspaces/current/secrets, or ask with engine: model.")
