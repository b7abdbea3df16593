"""Who calls: the workspace that every query is about, and what the caller may do in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request

from shared.bus import Publish
from shared.models import DEFAULT_WORKSPACE
from shared.store import Store


class Role(StrEnum):
    """Each may do what those before it may."""

    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """`key_id` is None on an open deployment."""

    workspace_id: str
    role: Role
    key_id: str | None = None


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def publish_of(request: Request) -> Publish:
    publish: Publish = request.app.state.publish
    return publish


async def reader(request: Request) -> Caller:
    return Caller(DEFAULT_WORKSPACE, Role.ADMIN)


async def writer(request: Request) -> Caller:
    return Caller(DEFAULT_WORKSPACE, Role.ADMIN)


async def admin(request: Request) -> Caller:
    return Caller(DEFAULT_WORKSPACE, Role.ADMIN)


StoreDep = Annotated[Store, Depends(store_of)]
PublishDep = Annotated[Publish, Depends(publish_of)]
Reader = Annotated[Caller, Depends(reader)]
Writer = Annotated[Caller, Depends(writer)]
Admin = Annotated[Caller, Depends(admin)]
