"""Who comes in, as what, and what an open gateway refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway import access
from services.gateway.app import make_app
from shared.access import Role, new_key, workspace_named
from shared.config import Settings
from shared.models import DEFAULT_WORKSPACE
from shared.store.sqlite import SqliteStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    yield opened
    await opened.close()


async def nothing(event: object = None) -> None:
    """Neither publishes nor checks."""


def client(store: SqliteStore, host: str = "http://localhost:8000", **options: Any) -> httpx.AsyncClient:
    app = make_app(store, nothing, nothing, Settings(**options))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=host)


async def key(store: SqliteStore, role: Role, workspace: str = DEFAULT_WORKSPACE) -> dict[str, str]:
    made, text = new_key(workspace, "test", role, 1)
    await store.insert_api_key(made)
    return {"x-api-key": text}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "LOCALHOST", "localhost."])
async def test_without_keys_this_machine_may_do_everything(store: SqliteStore, host: str) -> None:
    async with client(store, f"http://{host}:8000") as open_:
        assert (await open_.post("/sessions", json={"name": "shop"})).status_code == 200
        made = {"x-api-key": "of LangSmith"}
        assert (await open_.get("/sessions?name=shop", headers=made)).status_code == 200, "clients send what they have"


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example", "x"])
async def test_without_keys_no_other_name_leads_here(store: SqliteStore, host: str) -> None:
    """DNS rebinding: a page's own name that resolves to 127.0.0.1."""
    async with client(store, f"http://{host}:8000") as rebound:
        answer = await rebound.get("/sessions?name=shop")
        assert answer.status_code == 403
        assert "insights keys create" in answer.json()["detail"]
        assert (await rebound.get("/live")).status_code == 200
    async with client(store, f"http://{host}:8000", insecure=True) as insecure:
        assert (await insecure.get("/sessions?name=shop")).status_code == 200


async def test_without_keys_no_page_of_another_site_may_ask(store: SqliteStore) -> None:
    """A browser sends a simple POST to this machine without asking first."""
    async with client(store) as open_:
        for origin, status in (("https://evil.example", 403), ("null", 403), ("http://localhost:3000", 200)):
            answer = await open_.post("/sessions?upsert=true", json={"name": "x"}, headers={"Origin": origin})
            assert answer.status_code == status, origin


@pytest.mark.parametrize("wrong", ["[::1", "", "a b", "\xff", "[x]:y"])
async def test_no_host_and_no_origin_is_an_error_of_the_server(store: SqliteStore, wrong: str) -> None:
    async with client(store) as open_:
        for name, value in (("Host", wrong), ("Origin", f"http://{wrong}")):
            headers = httpx.Headers({name: value}, encoding="latin-1")
            assert (await open_.get("/sessions?name=x", headers=headers)).status_code == 403


async def test_the_first_key_closes_a_running_gateway_for_good(store: SqliteStore) -> None:
    async with client(store) as gateway:
        assert (await gateway.get("/sessions?name=x")).status_code == 200
        made, text = new_key(DEFAULT_WORKSPACE, "ci", Role.READER, 1)
        await store.insert_api_key(made)
        refused = await gateway.get("/sessions?name=x")
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await gateway.get("/sessions?name=x", headers={"x-api-key": text})).status_code == 200
        await store.revoke_api_key(DEFAULT_WORKSPACE, made.id, 2)
        revoked = await gateway.get("/sessions?name=x", headers={"x-api-key": text})
        assert (revoked.status_code, "revoked" in revoked.json()["detail"]) == (401, True)
        assert (await gateway.get("/sessions?name=x")).status_code == 401, "it was the last, and it is not open again"


async def test_a_key_comes_in_either_header(store: SqliteStore) -> None:
    text = (await key(store, Role.READER))["x-api-key"]
    async with client(store, "http://insights.example") as gateway:
        for headers, status in (
            ({"X-API-Key": text}, 200),
            ({"Authorization": f"Bearer {text}"}, 200),
            ({"authorization": f"bearer  {text} "}, 200),
            ({"Authorization": text}, 401),
            ({"Authorization": f"Basic {text}"}, 401),
            ({"x-api-key": text[:-1]}, 401),
            ({"x-api-key": ""}, 401),
        ):
            assert (await gateway.get("/sessions?name=x", headers=headers)).status_code == status, headers


async def test_a_key_may_do_what_its_role_says(store: SqliteStore) -> None:
    roles = {role: await key(store, role) for role in Role}
    routes = {Role.READER: ("GET", "/sessions?name=x"), Role.WRITER: ("POST", "/runs/batch")}
    routes[Role.ADMIN] = ("POST", "/workspaces/current/secrets")
    async with client(store) as gateway:
        for needed, (method, path) in routes.items():
            for role, headers in roles.items():
                body = b"[]" if "secrets" in path else b"{}"
                answer = await gateway.request(method, path, content=body, headers=headers)
                assert (answer.status_code == 403) is not role.may(needed), (role, path, answer.text)


async def test_workspaces_do_not_see_each_other(store: SqliteStore) -> None:
    ours = await key(store, Role.WRITER)
    theirs = await key(store, Role.ADMIN, workspace_named("other", 1).id)
    async with client(store) as gateway:
        made = (await gateway.post("/sessions", json={"name": "shop"}, headers=ours)).json()
        assert (await gateway.get("/sessions?name=shop", headers=theirs)).json() == []
        assert (await gateway.get("/sessions?name=shop", headers=ours)).json() == [made]


async def test_the_last_use_is_written_once_a_minute(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    at = 5_000_000_000
    monkeypatch.setattr(access, "now", lambda: at)
    headers = await key(store, Role.READER)
    written = []

    async def note(digest: str, at: int) -> None:
        written.append(at)
        await SqliteStore.note_api_key_use(store, digest, at)

    monkeypatch.setattr(store, "note_api_key_use", note)
    async with client(store) as gateway:
        for later in (0, 1, 59_999_999, 60_000_000, 60_000_001):
            at = 5_000_000_000 + later
            await gateway.get("/sessions?name=x", headers=headers)
    assert written == [5_000_000_000, 5_060_000_000]
    assert (await store.api_keys())[0].last_used == 5_060_000_000


async def test_metrics_need_a_key_where_there_are_keys_and_health_does_not(store: SqliteStore) -> None:
    headers = await key(store, Role.READER)
    async with client(store) as gateway:
        assert (await gateway.get("/metrics")).status_code == 401
        assert "insights_" in (await gateway.get("/metrics", headers=headers)).text
        assert [(await gateway.get(path)).status_code for path in ("/live", "/ready")] == [200, 200]
