"""The HTTP API in LangSmith's shapes, on a real store and a bus that the test can take away."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.gateway import bodies, handlers
from services.gateway.app import make_app
from services.gateway.bodies import SMALL_BYTES
from shared.errors import UnavailableError
from shared.events import Event, JobRequested
from shared.models import DEFAULT_WORKSPACE, Cluster, JobState, Report, Run
from shared.store.sqlite import SqliteStore

JOB_KEYS = {
    "id", "name", "status", "created_at", "start_time", "end_time", "shape", "error", "clusters", "report",
    "config_id", "metadata", "coverage", "notes", "stats",
}  # fmt: skip


class Bus:
    """What was published; it refuses while `away`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False
        self.heard = asyncio.Event()

    async def publish(self, event: Any) -> None:
        if self.away:
            raise UnavailableError("The bus is away: start it.")
        self.events.append(event)
        self.heard.set()

    async def check(self) -> None:
        if self.away:
            raise UnavailableError("The bus is away: start it.")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    await opened.init()
    yield opened
    await opened.close()


@pytest.fixture
async def bus() -> Bus:
    return Bus()


@pytest.fixture
async def client(store: SqliteStore, bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(store, bus.publish, bus.check))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as found:
        yield found


async def project(client: httpx.AsyncClient, name: str = "shop") -> str:
    return str((await client.post("/sessions", json={"name": name})).json()["id"])


async def send(client: httpx.AsyncClient, **batch: Any) -> dict[str, Any]:
    answer = await client.post("/runs/batch", content=json.dumps(batch))
    assert answer.status_code == 202
    found: dict[str, Any] = answer.json()
    return found


async def stored(store: SqliteStore, run_id: str) -> Run:
    return (await store.runs(DEFAULT_WORKSPACE, [run_id]))[run_id]


def post(run_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": run_id, "session_name": "shop", "inputs": {"q": "?"}, "start_time": "2026-01-01T00:00:00"} | fields


def patch(run_id: str) -> dict[str, Any]:
    return {"id": run_id, "outputs": {"a": "!"}, "end_time": "2026-01-01T00:00:02"}


# Projects


async def test_a_project_has_the_fields_that_langsmiths_clients_need(client: httpx.AsyncClient) -> None:
    made = (await client.post("/sessions", json={"name": "shop", "unknown": 1})).json()
    assert made["tenant_id"] == DEFAULT_WORKSPACE
    assert made["reference_dataset_id"] is None
    assert (await client.get("/sessions", params={"name": "shop"})).json() == [made]
    assert (await client.get("/sessions", params={"name": "other"})).json() == []


async def test_a_name_is_taken_once_unless_the_client_upserts(client: httpx.AsyncClient) -> None:
    made = (await client.post("/sessions", json={"name": "shop"})).json()
    again = await client.post("/sessions", json={"name": "shop"})
    upserted = await client.post("/sessions", params={"upsert": True}, json={"name": "shop"})
    assert again.status_code == 409
    assert "upsert" in again.json()["detail"]
    assert (upserted.status_code, upserted.json()) == (200, made)


async def test_an_id_that_another_project_has_is_not_given_out_again(client: httpx.AsyncClient) -> None:
    taken = await project(client)
    answer = await client.post("/sessions", json={"name": "other", "id": taken})
    assert answer.status_code == 409
    assert "shop" in answer.json()["detail"]


@pytest.mark.parametrize("body", ["[]", "{}", '{"name": ""}', '{"name": "x", "id": "7"}', "{", '"x"'])
async def test_a_project_of_a_wrong_shape_is_refused_with_a_reason(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/sessions", content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


# Runs


async def test_a_bad_run_is_refused_with_its_reason_and_the_others_are_kept(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    good = str(uuid4())
    answer = await send(client, post=[post(good), {"inputs": {}}])
    assert (answer["runs"], answer["refused"]) == (1, 1)
    assert "without an id" in answer["reasons"][0]
    assert (await stored(store, good)).project_id == (await client.get("/sessions?name=shop")).json()[0]["id"]


@pytest.mark.parametrize(("name", "made"), [("\ud800", "\ufffd"), ("x" * 300, "x" * 255)])
async def test_a_run_of_a_project_with_any_name_is_kept_under_one_that_a_client_can_ask_for(
    client: httpx.AsyncClient, store: SqliteStore, name: str, made: str
) -> None:
    run_id = str(uuid4())
    assert (await send(client, post=[post(run_id, session_name=name)]))["runs"] == 1
    [found] = (await client.get("/sessions", params={"name": made})).json()
    assert (await stored(store, run_id)).project_id == found["id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sessions", {"name": "\ud800"}),
        ("/sessions/{project}/insights", {"filter": "\ud800"}),
        ("/sessions/{project}/insights", {"attribute_schemas": {"\ud800": {"type": "string"}}}),
        ("/sessions/{project}/insights", {"attribute_schemas": {"a": {"type": "string", "enum": ["\ud800"]}}}),
        ("/sessions/{project}/insights", {"summary_prompt": "{{#\ud800}}"}),
    ],
)
async def test_half_a_character_where_text_must_be_whole_is_refused_in_a_sentence(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await client.post(path.format(project=await project(client)), content=json.dumps(body))
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_a_body_is_read_beside_the_event_loop(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB take seconds, in which every other client would wait; here, until the loop says that it still runs."""
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(data: bytes) -> Any:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(5), "the event loop stands still"
        return json.loads(data)

    monkeypatch.setattr(bodies, "parse", slow)
    answer = asyncio.create_task(client.post("/sessions", json={"name": "shop"}))
    await begun.wait()
    go_on.set()
    assert (await answer).status_code == 200


async def test_a_patch_that_comes_before_its_post_makes_the_same_run(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    early, usual = str(uuid4()), str(uuid4())
    await send(client, patch=[patch(early)])
    await send(client, post=[post(early), post(usual)])
    await send(client, patch=[patch(usual)])
    left, right = await stored(store, early), await stored(store, usual)
    assert left.latency == right.latency == 2.0
    assert left.project_id == right.project_id
    assert left.status == "success"


async def test_the_halves_of_a_run_that_come_at_once_are_both_kept(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    ids = [str(uuid4()) for _ in range(20)]
    calls = [send(client, post=[post(run_id)]) for run_id in ids] + [send(client, patch=[patch(one)]) for one in ids]
    await asyncio.gather(*calls)
    assert [(await stored(store, run_id)).latency for run_id in ids] == [2.0] * len(ids)
    bodies = await store.bodies(DEFAULT_WORKSPACE, ids, ["inputs", "outputs"])
    assert {frozenset(parts) for parts in bodies.values()} == {frozenset({"inputs", "outputs"})}


@pytest.mark.parametrize("body", ["[]", '{"post": 1}', '{"post": [1]}', '{"patch": {}, "post": [[]]}', "{", b"\xff"])
async def test_a_batch_of_a_wrong_shape_is_refused(client: httpx.AsyncClient, body: str | bytes) -> None:
    assert (await client.post("/runs/batch", content=body)).status_code == 422


async def test_what_python_clients_send_beyond_json_is_taken(client: httpx.AsyncClient, store: SqliteStore) -> None:
    run_id = str(uuid4())
    body = f'{{"post": [{{"id": "{run_id}", "inputs": {{"x": NaN, "s": "\\ud800", "n": {"9" * 5_000}}}}}]}}'
    assert (await client.post("/runs/batch", content=body)).json()["runs"] == 1
    assert (await stored(store, run_id)).id == run_id


# Jobs


async def test_a_job_is_stored_and_announced(client: httpx.AsyncClient, bus: Bus) -> None:
    at = f"/sessions/{await project(client)}/insights"
    answer = await client.post(at, json={"name": "Week", "last_n_hours": 24, "no_such_key": 1, "filter": None})
    made = answer.json()
    assert answer.status_code == 200
    assert made == {"id": made["id"], "name": "Week", "status": "queued", "error": None}
    assert [(type(event), event.job_id) for event in bus.events] == [(JobRequested, made["id"])]
    detail = (await client.get(f"{at}/{made['id']}")).json()
    assert set(detail) == JOB_KEYS
    assert (detail["status"], detail["clusters"], detail["shape"]) == ("queued", [], {})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"filter": 'eq(statuss, "error")'}, "^"),
        ({"summary_prompt": "{{run.inputz}}"}, "inputs"),
        ({"sample": "many"}, "sample"),
        ({"last_n_hours": -1}, "last_n_hours"),
        ({"base_url": "http://169.254.169.254/latest"}, "INSIGHTS_PRIVATE_HOSTS"),
        ({"base_url": "http://localhost:11434/v1"}, "INSIGHTS_PRIVATE_HOSTS"),
        ({"base_url": f"https://{'x' * 300}/v1"}, "spelt"),
        ({"base_url": "https://user:pw@models.example/v1"}, "base_url"),
        ({"base_url": "https://models.example:99999/v1"}, "base_url"),
        ({"base_url": "https://[::::]/v1"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ([1], "JobConfig"),
        ({"hierarchy": [0, 5]}, "hierarchy"),
    ],
)
async def test_a_job_that_cannot_be_done_is_refused_with_what_is_wrong(
    client: httpx.AsyncClient, bus: Bus, body: Any, named: str
) -> None:
    answer = await client.post(f"/sessions/{await project(client)}/insights", json=body)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    assert not bus.events


async def test_an_idempotency_key_finds_the_job_as_it_is_now(
    client: httpx.AsyncClient, store: SqliteStore, bus: Bus
) -> None:
    at = f"/sessions/{await project(client)}/insights"
    key = {"Idempotency-Key": "monday"}
    first = (await client.post(at, json={"name": "One"}, headers=key)).json()
    other = (await client.post(at, json={"name": "One"}, headers={"Idempotency-Key": "tuesday"})).json()
    await store.move_job(DEFAULT_WORKSPACE, first["id"], {JobState.QUEUED}, JobState.RUNNING)
    again = (await client.post(at, json={"name": "Two"}, headers=key)).json()
    assert again == first | {"status": "running"}
    assert other["id"] != first["id"]
    assert len(bus.events) == 2, "a job that was announced is not announced again"


async def test_a_job_is_accepted_while_the_bus_is_away_and_announced_later(
    client: httpx.AsyncClient, store: SqliteStore, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.away = True
    answer = await client.post(f"/sessions/{await project(client)}/insights", json={})
    assert answer.status_code == 200
    assert not bus.events

    bus.away = False
    monkeypatch.setattr(handlers, "PAUSE", 0.0)
    outbox = asyncio.create_task(handlers.announce_jobs(store, bus.publish))
    await asyncio.wait_for(bus.heard.wait(), 10)
    outbox.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await outbox
    assert {event.job_id for event in bus.events} == {answer.json()["id"]}


async def finished(client: httpx.AsyncClient, store: SqliteStore) -> str:
    """The address of a job that succeeded, with one category in two levels."""
    at = f"/sessions/{await project(client)}/insights"
    job_id = (await client.post(at, json={})).json()["id"]
    top = Cluster(id="top", level=1, name="Refunds", description="Money back.", num_runs=3, stats={"run_count": 3})
    leaf = top.model_copy(update={"id": "leaf", "level": 0, "parent_id": "top", "parent_name": "Refunds"})
    report = Report(workspace_id=DEFAULT_WORKSPACE, job_id=job_id, fence=1, clusters=(leaf, top), title="Three traces")
    await store.save_report(report)
    await store.move_job(DEFAULT_WORKSPACE, job_id, {JobState.QUEUED}, JobState.SUCCESS, fence=1)
    return f"{at}/{job_id}"


async def test_a_finished_job_shows_its_report(client: httpx.AsyncClient, store: SqliteStore) -> None:
    detail = (await client.get(await finished(client, store))).json()
    assert set(detail) == JOB_KEYS
    assert (detail["status"], detail["shape"]) == ("success", {"Refunds": 3})
    assert [one["id"] for one in detail["clusters"]] == ["top", "leaf"]
    assert detail["report"] == {
        "title": "Three traces", "key_points": [], "highlighted_traces": [], "created_at": None,
    }  # fmt: skip


async def test_a_failed_job_says_why_and_shows_no_report(client: httpx.AsyncClient, store: SqliteStore) -> None:
    at = f"/sessions/{await project(client)}/insights"
    job_id = (await client.post(at, json={})).json()["id"]
    await store.move_job(DEFAULT_WORKSPACE, job_id, {JobState.QUEUED}, JobState.ERROR, error="No trace is there.")
    detail = (await client.get(f"{at}/{job_id}")).json()
    assert (detail["status"], detail["error"], detail["clusters"]) == ("error", "No trace is there.", [])


async def test_what_does_not_exist_is_404_also_under_another_project(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    job_id = (await finished(client, store)).rsplit("/", 1)[1]
    other = await project(client, "other")
    assert (await client.get(f"/sessions/{other}/insights/{job_id}")).status_code == 404
    assert (await client.get(f"/sessions/{other}/insights/{uuid4()}")).status_code == 404
    assert (await client.post(f"/sessions/{uuid4()}/insights", json={})).status_code == 404


# Everything


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1"])
async def test_every_prefix_that_clients_use_leads_to_the_api(client: httpx.AsyncClient, prefix: str) -> None:
    made = await client.post(f"{prefix}/sessions", json={"name": "shop"})
    assert (await client.get(f"{prefix}/sessions?name=shop")).json() == [made.json()]
    assert (await client.post(f"{prefix}/runs/batch", json={})).json()["runs"] == 0


async def test_health_is_under_no_prefix_and_ready_says_what_is_away(client: httpx.AsyncClient, bus: Bus) -> None:
    assert (await client.get("/live")).status_code == 200
    assert (await client.get("/ready")).json() == {"ready": True}
    assert "insights_" in (await client.get("/metrics")).text
    assert (await client.get("/api/live")).status_code == 404
    bus.away = True
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The bus is away: start it.")
    assert (await client.get("/live")).status_code == 200


async def test_a_body_over_the_limit_is_refused_and_says_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sessions", content=b'{"name": "' + b"x" * SMALL_BYTES + b'"}')
    assert answer.status_code == 413
    assert "in parts" in answer.json()["detail"]
