"""Projects over HTTP: what LangSmith's clients send, and what becomes of all that belongs to one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.models import DEFAULT_WORKSPACE
from shared.store import Store, connect
from tests.services.gateway import asked, send, sent, uid


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    yield store
    await store.close()


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    async with asked(store) as client:
        yield client


async def made(client: httpx.AsyncClient, name: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/sessions", content=json.dumps({"name": name, **fields}))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.content)
    return found


async def names(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/sessions", params=query)
    assert answer.status_code == 200, answer.text
    return [project["name"] for project in answer.json()]


async def test_what_a_client_tells_of_a_project_is_kept_and_null_changes_nothing(client: httpx.AsyncClient) -> None:
    extra = {"metadata": {"n": float("nan"), "half": "\ud800"}}
    first = await made(client, "shop", id=str(uuid4()), description="All of it", extra=extra)
    nulls = {"name": None, "description": None, "extra": None, "end_time": "2026-01-01T00:00:00"}
    assert (await client.patch(f"/sessions/{first['id']}", json=nulls)).status_code == 200
    read = json.loads((await client.get(f"/sessions/{first['id']}")).content)
    assert repr(read) == repr(first | {"end_time": "2026-01-01T00:00:00+00:00"})
    assert repr(read["extra"]) == repr(extra)


async def test_a_project_is_renamed_unless_another_has_the_name(client: httpx.AsyncClient) -> None:
    first, _ = await made(client, "shop"), await made(client, "other")
    assert (await client.patch(f"/sessions/{first['id']}", json={"name": "other"})).status_code == 409
    renamed = (await client.patch(f"/sessions/{first['id']}", json={"name": "store"})).json()
    assert renamed == first | {"name": "store"}
    assert await names(client, name="store") == ["store"]
    assert await names(client, name="shop") == []


async def test_an_upsert_of_what_is_there_changes_what_it_tells(client: httpx.AsyncClient) -> None:
    first = await made(client, "shop")
    again = await client.post("/sessions?upsert=true", json={"name": "shop", "description": "New"})
    assert again.json() == first | {"description": "New"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Cart", "bread", "apples"]),
        ({"limit": 1}, ["Cart"]),
        ({"limit": 1, "offset": 1}, ["bread"]),
        ({"offset": 3}, []),
        ({"name": "bread"}, ["bread"]),
        ({"name": "Bread"}, []),
        ({"name_contains": "AR"}, ["Cart"]),
        ({"id": [uid(1), uid(3)]}, ["Cart", "apples"]),
        ({"id": uid(2), "name": "bread"}, ["bread"]),
        ({"sort_by": "name", "sort_by_desc": False}, ["Cart", "apples", "bread"]),
        ({"sort_by_desc": False}, ["apples", "bread", "Cart"]),
        ({"metadata": '{"env": "prod"}'}, ["bread"]),
        ({"reference_dataset": uid(9)}, []),
        ({"reference_free": True, "no such key": 1}, ["Cart", "bread", "apples"]),
    ],
)
async def test_projects_are_listed_by_what_is_asked(
    client: httpx.AsyncClient, query: dict[str, Any], expected: list[str]
) -> None:
    for number, name in enumerate(["apples", "bread", "Cart"], 1):
        metadata = {"env": "prod"} if name == "bread" else {}
        await made(client, name, id=uid(number), extra={"metadata": metadata})
    assert await names(client, **query) == expected


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", "id=7", "metadata=[", "metadata=7"])
async def test_a_list_that_cannot_be_made_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/sessions?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_a_projects_stats_are_of_its_traces(client: httpx.AsyncClient) -> None:
    slow = sent(5, end_time="2026-01-01T00:00:09")
    project = await send(client, sent(0), sent(1, 0, error="E"), slow)
    listed = (await client.get("/sessions?include_stats=true")).json()[0]
    read = (await client.get(f"/sessions/{project}?include_stats=true")).json()
    assert listed == read
    assert (read["run_count"], read["latency_p50"], read["error_rate"]) == (2, 2.0, 0.0)
    assert "run_count" not in (await client.get(f"/sessions/{project}")).json()


async def test_a_deleted_project_is_gone_with_its_runs_bodies_and_jobs_and_no_other(
    client: httpx.AsyncClient, store: Store
) -> None:
    other = await made(client, "other")
    project = await send(client, sent(0, inputs={"a": 1}), sent(1, 0), sent(2, session_name="other", inputs={"b": 2}))
    at = f"/sessions/{project}/insights"
    job = (await client.post(at, json={})).json()["id"]
    assert (await client.delete(f"/sessions/{project}")).status_code == 202
    for gone in (f"/sessions/{project}", f"{at}/{job}", f"/runs/{uid(0)}", f"/runs/{uid(1)}"):
        assert (await client.get(gone)).status_code == 404
    assert await store.bodies(DEFAULT_WORKSPACE, [uid(0), uid(2)], ["inputs"]) == {uid(2): {"inputs": b'{"b":2}'}}
    assert await names(client) == ["other"]
    assert (await client.get(f"/runs/{uid(2)}")).json()["session_id"] == other["id"]
    assert (await client.delete(f"/sessions/{project}")).status_code == 404
