"""Who calls: the workspace that every query is about, and what the caller may do in it.

Until the first API key is made, in whatever workspace, a deployment is open, and then only to this machine unless it
was started with `--insecure`: its requests must name a loopback Host, for a web page can make a name of its own lead
here (DNS rebinding), and none may come from another page (Origin). Every request looks a key up in the store, so that
a revoked one is refused at once by every gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from services.gateway.limits import Rates
from shared.access import ApiKey, Role, digest_of
from shared.bus import Publish
from shared.config import Settings
from shared.ending import now
from shared.models import DEFAULT_WORKSPACE
from shared.store import Store

MINUTE = 60_000_000  # µs: the last use of a key is written at most so often
LOCAL_NAMES = ("localhost", "localhost.localdomain")


@dataclass(frozen=True, slots=True)
class Caller:
    """`key_id` is None on an open deployment."""

    workspace_id: str
    role: Role
    key_id: str | None = None


class Gate:
    """Of one gateway."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._insecure = settings.insecure
        self._origins = settings.cors_origins
        self._rates = Rates(settings.rate)
        self._closed = False  # whether a key was seen: that never changes back

    async def let_in(self, request: Request, needed: Role) -> Caller:
        """HTTPException 401 without a valid key, 403 where its role is not enough, 429 where it asks too often."""
        if not await self._has_keys():
            self._check_open(request)
            return Caller(DEFAULT_WORKSPACE, Role.ADMIN)
        text = presented(request.headers)
        key = await self._store.api_key(digest_of(text)) if text else None
        if key is None or key.revoked_at is not None:
            self._rates.count(_address(request))
            raise HTTPException(401, _refusal(text, key), {"WWW-Authenticate": "Bearer"})
        self._rates.count(key.id)
        if not key.role.may(needed):
            raise HTTPException(403, f"This needs a key of the role {needed}; yours is a {key.role}'s.")
        await self._note_use(key)
        return Caller(key.workspace_id, key.role, key.id)

    async def _has_keys(self) -> bool:
        self._closed = self._closed or await self._store.has_api_keys()
        return self._closed

    async def _note_use(self, key: ApiKey) -> None:
        at = now()
        if key.last_used is None or at - key.last_used >= MINUTE:
            await self._store.note_api_key_use(key.digest, at)

    def _check_open(self, request: Request) -> None:
        if self._insecure:
            self._rates.count(_address(request))
            return
        if not is_loopback(_host_of(f"//{request.headers.get('host', '')}")):
            raise HTTPException(
                403, "Without API keys this gateway answers as 127.0.0.1 or localhost alone: `insights keys create`."
            )
        origin = request.headers.get("origin")
        if origin and origin not in self._origins and not is_loopback(_host_of(origin)):
            raise HTTPException(403, "Without API keys no page of another site may ask: `insights keys create`.")


def presented(headers: Mapping[str, str]) -> str:
    """The key that a request came with, in either of two headers; empty if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key", "").strip() or (token.strip() if scheme.lower() == "bearer" else "")


def _address(request: Request) -> str:
    return f"address {request.client.host if request.client else ''}"


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in LOCAL_NAMES


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # such as of a bracket that is never closed
        return ""


def _refusal(text: str, key: ApiKey | None) -> str:
    if not text:
        return "An API key is needed, as x-api-key or Authorization: Bearer: `insights keys create` makes one."
    return "This API key was revoked." if key else "This API key is none of this deployment's."


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def publish_of(request: Request) -> Publish:
    publish: Publish = request.app.state.publish
    return publish


async def _let_in(request: Request, needed: Role) -> Caller:
    gate: Gate = request.app.state.gate
    return await gate.let_in(request, needed)


async def reader(request: Request) -> Caller:
    return await _let_in(request, Role.READER)


async def writer(request: Request) -> Caller:
    return await _let_in(request, Role.WRITER)


async def admin(request: Request) -> Caller:
    return await _let_in(request, Role.ADMIN)


StoreDep = Annotated[Store, Depends(store_of)]
PublishDep = Annotated[Publish, Depends(publish_of)]
Reader = Annotated[Caller, Depends(reader)]
Writer = Annotated[Caller, Depends(writer)]
Admin = Annotated[Caller, Depends(admin)]
