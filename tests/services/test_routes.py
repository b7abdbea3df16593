"""Every route, also those that were added yesterday: nobody sees another workspace, or does what a role may not.

A new noun with ids of its own belongs into `planted`, by the name that its routes give the id.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from services.gateway import access
from services.gateway.app import PREFIXES, make_app
from shared.access import Role, new_key, workspace_named
from shared.models import DEFAULT_WORKSPACE, Cluster, JobState, Report
from shared.store.sqlite import SqliteStore
from shared.vault import Vault, new_vault_key
from tests.services.test_access import nothing

PUBLIC = {"/live", "/ready", "/openapi.json", "/o/{tenant_id}/projects/p/{project_id}"}  # which looks nothing up
PUBLIC |= {f"{prefix}{path}" for prefix in PREFIXES for path in ("/info", "/attachments/{run_id}")}  # which is signed
ROLES: dict[Any, Role] = {access.reader: Role.READER, access.writer: Role.WRITER, access.admin: Role.ADMIN}
READING = ("query", "stats", "count", "estimate", "preview", "generate")  # what a POST may do for a reader
OWN = {"key"}  # names that a caller chooses, of things in the caller's own workspace
UPSERTS = {("PATCH", f"{prefix}/runs/{{run_id}}") for prefix in PREFIXES}  # ids come from clients, patches before posts
MARK = "planted-4711"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    role: Role

    @property
    def names(self) -> list[str]:
        return [part[1:-1].partition(":")[0] for part in self.path.split("/") if part.startswith("{")]

    def url(self, planted: dict[str, str]) -> str:
        """What has a name that nobody planted gets an id that exists as well."""
        parts = [
            planted.get(part[1:-1].partition(":")[0], planted["project_id"]) if part.startswith("{") else part
            for part in self.path.split("/")
        ]
        return "/".join(parts)


def roles_in(dependant: Dependant) -> Iterator[Role]:
    for inner in dependant.dependencies:
        if inner.call in ROLES:
            yield ROLES[inner.call]
        yield from roles_in(inner)


def protected(app: FastAPI) -> list[Call]:
    """Every route that is not public. A failure names one that asks nobody who is there."""
    found = []
    for route in iter_route_contexts(app.routes):
        if route.path is None or route.path in PUBLIC:
            continue
        dependant = getattr(route, "dependant", None)
        roles = list(roles_in(dependant)) if dependant is not None else []
        assert len(roles) == 1, f"{route.path} needs one of Reader, Writer and Admin, or a place in PUBLIC"
        found += [Call(method, route.path, roles[0]) for method in sorted((route.methods or set()) - {"HEAD"})]
    return found


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    yield opened
    await opened.close()


@pytest.fixture
def app(store: SqliteStore) -> FastAPI:
    return make_app(store, nothing, nothing, vault=Vault([new_vault_key()]))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://insights.example") as found:
        yield found


async def key(store: SqliteStore, role: Role, workspace: str = DEFAULT_WORKSPACE) -> dict[str, str]:
    made, text = new_key(workspace, "test", role, 1)
    await store.insert_api_key(made)
    return {"x-api-key": text}


async def plant(client: httpx.AsyncClient, store: SqliteStore, headers: dict[str, str]) -> dict[str, str]:
    """One of everything in the default workspace, with MARK wherever text goes; its ids by the names of parameters."""
    project = (await client.post("/sessions", json={"name": MARK}, headers=headers)).json()["id"]
    run = str(uuid4())
    fields = {"id": run, "session_name": MARK, "name": MARK, "inputs": {"q": MARK}, "outputs": {"a": MARK}}
    times = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:02Z"}
    await client.post("/runs/batch", content=json.dumps({"post": [fields | times]}), headers=headers)
    job = (await client.post(f"/sessions/{project}/insights", json={"name": MARK}, headers=headers)).json()["id"]
    cluster = Cluster(id=str(uuid4()), level=0, name=MARK, description=MARK, num_runs=1)
    report = Report(workspace_id=DEFAULT_WORKSPACE, job_id=job, fence=1, clusters=(cluster,), title=MARK)
    await store.save_report(report)
    await store.move_job(DEFAULT_WORKSPACE, job, {JobState.QUEUED}, JobState.SUCCESS, fence=1)
    config = await client.post(
        f"/sessions/{project}/insights/configs", json={"name": MARK, "config": {"name": MARK}}, headers=headers
    )
    await client.put("/workspaces/current/secrets/MINE", json={"value": MARK, "configs": []}, headers=headers)
    said = {"run_id": run, "key": MARK, "score": 1, "comment": MARK}
    feedback = (await client.post("/feedback", json=said, headers=headers)).json()["id"]
    return {
        "project_id": project, "session_id": project, "job_id": job, "run_id": run, "cluster_id": cluster.id,
        "config_id": config.json()["id"], "feedback_id": feedback,
        "key": "MINE", "api_key_id": (await store.api_keys(DEFAULT_WORKSPACE))[0].id,
    }  # fmt: skip


async def answer(client: httpx.AsyncClient, call: Call, planted: dict[str, str], **headers: str) -> httpx.Response:
    body = None if call.method in ("GET", "DELETE") else "{}"
    return await client.request(call.method, call.url(planted), content=body, headers=headers)


async def test_every_route_asks_who_is_there(app: FastAPI, client: httpx.AsyncClient, store: SqliteStore) -> None:
    planted = await plant(client, store, await key(store, Role.ADMIN))
    for call in protected(app):
        for headers in ({}, {"x-api-key": "insights_made-up"}):
            refused = await answer(client, call, planted, **headers)
            assert (refused.status_code, MARK in refused.text) == (401, False), call


async def test_every_route_refuses_a_key_whose_role_is_not_enough(
    app: FastAPI, client: httpx.AsyncClient, store: SqliteStore
) -> None:
    planted = await plant(client, store, await key(store, Role.ADMIN))
    for role in Role:
        headers = await key(store, role)
        for call in [call for call in protected(app) if not role.may(call.role)]:
            refused = await answer(client, call, planted, **headers)
            assert (refused.status_code, MARK in refused.text) == (403, False), (call, role)


def test_what_changes_something_needs_more_than_a_reader_and_what_deletes_an_admin(app: FastAPI) -> None:
    for call in protected(app):
        reads = call.method == "GET" or (call.method == "POST" and call.path.rsplit("/", 1)[1] in READING)
        least = Role.READER if reads else Role.WRITER
        if "/api-key" in call.path or ("/secrets" in call.path and not reads):
            least = Role.ADMIN
        if call.method == "DELETE" and "/feedback" not in call.path:
            least = Role.ADMIN
        assert call.role.may(least), call


async def test_no_route_shows_or_changes_what_is_another_workspaces(
    app: FastAPI, client: httpx.AsyncClient, store: SqliteStore
) -> None:
    owner = await key(store, Role.ADMIN)
    planted = await plant(client, store, owner)
    stranger = await key(store, Role.ADMIN, workspace_named("stranger", 1).id)
    calls = protected(app)

    async def seen() -> list[tuple[int, str]]:
        changing = ("/metrics", "/api-key")  # by themselves: counts, and when a key was last used
        reads = [call for call in calls if call.method == "GET" and not call.path.endswith(changing)]
        return [((found := await answer(client, call, planted, **owner)).status_code, found.text) for call in reads]

    before = await seen()
    assert any(MARK in text for _, text in before), "what the owner reads is there to be seen"
    for call in sorted(calls, key=lambda call: (call.method, call.path) in UPSERTS):
        found = await answer(client, call, planted, **stranger)
        assert MARK not in found.text, call
        assert found.status_code < 500, call
        if set(call.names) - OWN and (call.method, call.path) not in UPSERTS:  # 422: the body was looked at first
            assert found.status_code == 404 or (found.status_code == 422 and call.method != "GET"), (call, found.text)
    assert await seen() == before
