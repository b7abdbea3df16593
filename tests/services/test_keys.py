"""API keys over HTTP: shown once, of the caller's workspace alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.access import Role, workspace_named
from shared.store.sqlite import SqliteStore
from tests.services.test_access import client, key


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    yield opened
    await opened.close()


async def test_a_key_is_made_shown_once_used_and_revoked(store: SqliteStore) -> None:
    admin = await key(store, Role.ADMIN)
    async with client(store) as gateway:
        made = (await gateway.post("/api-key", json={"description": "ci", "role": "reader"}, headers=admin)).json()
        theirs = {"x-api-key": made["key"]}
        assert (await gateway.get("/sessions?name=x", headers=theirs)).status_code == 200
        listed = (await gateway.get("/api-key", headers=admin)).json()
        [found] = [one for one in listed if one["id"] == made["id"]]
        assert made["key"] not in str(listed)
        assert found["last_used_at"] is not None
        assert (found["role"], found["read_only"]) == ("reader", True)
        assert (await gateway.delete(f"/api-key/{made['id']}", headers=admin)).status_code == 200
        assert (await gateway.get("/sessions?name=x", headers=theirs)).status_code == 401
        assert (await gateway.delete(f"/api-key/{made['id']}", headers=admin)).status_code == 404


async def test_an_admin_sees_and_revokes_no_key_of_another_workspace(store: SqliteStore) -> None:
    await key(store, Role.WRITER)
    [foreign] = await store.api_keys()
    admin = await key(store, Role.ADMIN, workspace_named("other", 1).id)
    async with client(store) as gateway:
        assert len((await gateway.get("/api-key", headers=admin)).json()) == 1
        assert (await gateway.delete(f"/api-key/{foreign.id}", headers=admin)).status_code == 404
        assert (await gateway.delete(f"/api-key/{uuid4()}", headers=admin)).status_code == 404


@pytest.mark.parametrize("body", [{}, [], {"description": ""}, {"description": "x", "role": "owner"}])
async def test_what_is_no_key_is_refused(store: SqliteStore, body: Any) -> None:
    async with client(store) as gateway:
        assert (await gateway.post("/api-key", json=body)).status_code == 422
        assert not await store.has_api_keys()
