"""Runs over HTTP as LangSmith's clients send them: what is kept, what is refused, and what it may cost."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import zstandard
from fastapi import FastAPI

from services.gateway import attachments, intake
from services.gateway.access import Caller
from services.gateway.app import make_app
from services.gateway.room import Room
from shared.access import Role
from shared.bodies import unpack
from shared.llm import Price, Prices
from shared.models import DEFAULT_WORKSPACE, BodyPart, Run
from shared.store.sqlite import SqliteStore
from tests.services.sending import CONTENT_TYPE, of_run, part, whole

PRICES = Prices(as_of=date(2026, 1, 1), models={"m-1": Price(input=2.0, cached_input=1.0, output=10.0)})
CALLER = Caller(DEFAULT_WORKSPACE, Role.READER)
START, END = "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:02+00:00"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    await opened.init()
    yield opened
    await opened.close()


@pytest.fixture
def app(store: SqliteStore) -> FastAPI:
    async def publish(event: Any) -> None:
        raise AssertionError("runs are no events")

    return make_app(store, publish, store.check, prices=PRICES)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as found:
        yield found


async def send(client: httpx.AsyncClient, *parts: bytes, encoding: str = "") -> httpx.Response:
    body = whole(parts)
    headers = {"Content-Type": CONTENT_TYPE, **({"Content-Encoding": encoding} if encoding else {})}
    return await client.post("/runs/multipart", content=ENCODERS[encoding](body), headers=headers)


def _streamed(body: bytes) -> bytes:
    """A frame without its content's size, as the SDK writes it."""
    encoder = zstandard.ZstdCompressor().compressobj()
    return encoder.compress(body) + encoder.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "zstd": _streamed}


async def stored(store: SqliteStore, run_id: str) -> Run:
    return (await store.runs(DEFAULT_WORKSPACE, [run_id]))[run_id]


async def body_of(store: SqliteStore, run_id: str, name: BodyPart) -> Any:
    return unpack((await store.bodies(DEFAULT_WORKSPACE, [run_id], [name]))[run_id][name])


async def project_of(store: SqliteStore, run_id: str) -> str | None:
    found = await store.project(DEFAULT_WORKSPACE, (await stored(store, run_id)).project_id)
    return found.name if found else None


def new() -> str:
    return str(uuid4())


async def test_what_a_client_asks_first_is_answered_without_a_key_and_lacks_nothing(client: httpx.AsyncClient) -> None:
    for prefix in ("", "/api", "/api/v1"):
        found = (await client.get(f"{prefix}/info")).json()
        assert set(found["batch_ingest_config"]) == {
            "use_multipart_endpoint", "size_limit", "size_limit_bytes",
            "scale_up_qsize_trigger", "scale_up_nthreads_limit", "scale_down_nempty_trigger",
        }  # fmt: skip
        assert [int(one) for one in found["version"].split(".")] >= [0, 18]
        assert found["instance_flags"] == {"zstd_compression_enabled": True}


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_halves_of_a_run_become_one_however_they_are_packed(
    client: httpx.AsyncClient, store: SqliteStore, encoding: str
) -> None:
    run_id = new()
    patch = of_run(run_id, "patch", bodies={"outputs": {"a": "é😀"}}, end_time=END, session_id=None, parent_run_id=None)
    post = of_run(run_id, bodies={"inputs": {"q": float("nan")}, "outputs": {}}, start_time=START, session_name="shop")
    for half in (patch, post, post):
        answer = await send(client, half, encoding=encoding)
        assert (answer.status_code, answer.json()) == (202, {"runs": 1, "refused": 0, "reasons": []})
    found = await stored(store, run_id)
    assert (found.status, found.latency, await project_of(store, run_id)) == ("success", 2.0, "shop")
    assert await body_of(store, run_id, "outputs") == {"a": "é😀"}
    assert repr(await body_of(store, run_id, "inputs")) == "{'q': nan}"


async def test_one_by_one_in_any_order(client: httpx.AsyncClient, store: SqliteStore) -> None:
    root, child = new(), new()
    child_fields = {"id": child, "parent_run_id": root, "trace_id": root, "run_type": "llm", "start_time": START}
    assert (await client.post("/runs", json=child_fields)).status_code == 202
    patched = await client.patch(f"/runs/{root}", json={"end_time": END, "outputs": {"a": 1}, "trace_id": root})
    assert patched.status_code == 202
    assert (await client.post("/runs", json={"id": root, "start_time": START, "name": "agent"})).status_code == 202
    found = await stored(store, root)
    assert (found.name, found.latency, found.status) == ("agent", 2.0, "success")
    assert (await stored(store, child)).trace_id == root


async def test_a_run_is_of_the_project_that_it_names_by_id_or_name_or_of_the_default_one(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    project = (await client.post("/sessions", json={"name": "mine"})).json()
    by_id, by_name, by_default, homeless = new(), new(), new(), new()
    answer = await send(
        client,
        of_run(by_id, bodies={}, session_id=project["id"]),
        of_run(by_name, bodies={}, session_name="other"),
        of_run(by_default, bodies={}),
        of_run(homeless, bodies={}, session_id=new()),
    )
    assert (answer.json()["runs"], answer.json()["refused"]) == (3, 1)
    assert "create it with POST /sessions" in answer.json()["reasons"][0]
    assert [await project_of(store, one) for one in (by_id, by_name, by_default)] == ["mine", "other", "default"]


async def test_a_patch_that_names_no_project_makes_none(client: httpx.AsyncClient, store: SqliteStore) -> None:
    run_id = new()
    await send(client, of_run(run_id, bodies={}, session_name="shop"))
    await send(client, of_run(run_id, "patch", bodies={"outputs": 1}))
    assert await project_of(store, run_id) == "shop"
    assert await store.project_named(DEFAULT_WORKSPACE, "default") is None


async def test_a_run_without_a_start_takes_it_from_its_dotted_order(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    run_id = new()
    await send(client, of_run(run_id, bodies={}, dotted_order=f"20260101T000000000000Z{run_id}", trace_id=run_id))
    found = await stored(store, run_id)
    assert found.start_time == 1_767_225_600_000_000


async def test_nothing_that_can_be_kept_is_a_422_with_the_reason(client: httpx.AsyncClient) -> None:
    answer = await send(client, of_run(new(), bodies={"inputs": 1}, run_type="agent"))
    assert answer.status_code == 422
    assert "run_type is none of" in answer.json()["detail"]
    assert (await client.post("/runs/batch", json={"post": [{"inputs": 1}, 7]})).status_code == 422
    assert (await client.post("/runs", content="[1]")).status_code == 422
    assert (await client.patch(f"/runs/{new()}", content="[1]")).status_code == 422


async def test_a_run_of_the_batch_that_is_no_object_is_refused_alone(client: httpx.AsyncClient) -> None:
    answer = await client.post("/runs/batch", json={"post": [{"id": new()}, 7], "patch": None})
    assert (answer.status_code, answer.json()["runs"], answer.json()["refused"]) == (202, 1, 1)


# Tokens and costs


USAGE = {
    "input_tokens": 1_000,
    "output_tokens": 100,
    "total_tokens": 1_100,
    "input_token_details": {"cache_read": 400, "odd": "x"},
}


async def test_what_a_call_cost_follows_from_its_tokens_and_the_list_price(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    """600 fresh and 400 cached tokens in, 100 out; the chain that passes the answer on costs nothing."""
    call, chain = new(), new()
    metadata = {"metadata": {"ls_model_name": "openai/m-1", "usage_metadata": USAGE}}
    await send(
        client,
        of_run(call, bodies={"outputs": {"usage_metadata": USAGE}, "extra": metadata}, run_type="llm"),
        of_run(chain, bodies={"outputs": {"usage_metadata": USAGE}, "extra": metadata}, run_type="chain"),
    )
    found = await stored(store, call)
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (1_000, 100, 1_100)
    assert found.prompt_token_details == {"cache_read": 400}
    assert found.prompt_cost == pytest.approx((600 * 2 + 400 * 1) / 1e6)
    assert found.completion_cost == pytest.approx(100 * 10 / 1e6)
    assert found.total_cost == pytest.approx(0.0026)
    assert ((await stored(store, chain)).total_tokens, (await stored(store, chain)).total_cost) == (1_100, None)


async def test_costs_that_the_client_sends_win_whenever_they_come(
    client: httpx.AsyncClient, store: SqliteStore
) -> None:
    run_id = new()
    metadata = {"metadata": {"ls_model_name": "m-1", "usage_metadata": USAGE}}
    await send(client, of_run(run_id, bodies={"extra": metadata}, run_type="llm"))
    assert (await stored(store, run_id)).total_cost == pytest.approx(0.0026)
    sent = USAGE | {"input_cost": 1.0, "output_cost": 2.0, "total_cost": 3.5, "input_cost_details": {"cache_read": 0.5}}
    await send(client, of_run(run_id, "patch", bodies={"outputs": {"usage_metadata": sent}}))
    await send(client, of_run(run_id, "patch", bodies={}, tags=["later"]))
    found = await stored(store, run_id)
    assert (found.prompt_cost, found.completion_cost, found.total_cost) == (1.0, 2.0, 3.5)
    assert (found.prompt_cost_details, found.priced, found.tags) == ({"cache_read": 0.5}, False, ("later",))


async def test_list_prices_follow_the_tokens_of_a_later_half(client: httpx.AsyncClient, store: SqliteStore) -> None:
    run_id = new()
    for tokens, operation in ((10, "post"), (1_000_000, "patch")):
        usage = {"input_tokens": tokens, "output_tokens": 0}
        extra = {"metadata": {"ls_model_name": "m-1", "usage_metadata": usage}}
        await send(client, of_run(run_id, operation, bodies={"extra": extra}, run_type="llm"))
    assert (await stored(store, run_id)).total_cost == pytest.approx(2.0)


async def test_the_first_token_is_the_first_event_of_that_name(client: httpx.AsyncClient, store: SqliteStore) -> None:
    run_id = new()
    events = [{"name": "start", "time": START}, {"name": "new_token", "time": END}, {"name": "new_token", "time": "x"}]
    await send(client, of_run(run_id, bodies={"events": events}, start_time=START))
    found = await stored(store, run_id)
    assert found.start_time is not None
    assert found.first_token_time == found.start_time + 2_000_000


# Bounds


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_a_bomb_is_refused_before_it_is_decoded(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(intake, "RUNS_BYTES", 1_000_000)
    body = ENCODERS[encoding](b"\0" * 50_000_000)
    answer = await client.post(
        "/runs/multipart", content=body, headers={"Content-Type": CONTENT_TYPE, "Content-Encoding": encoding}
    )
    assert answer.status_code == 413
    assert "send it in parts" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Content-Type": CONTENT_TYPE, "Content-Encoding": "br"}, 415, "send gzip, zstd or none"),
        ({"Content-Type": CONTENT_TYPE, "Content-Encoding": "gzip"}, 422, "not gzip"),
        ({"Content-Type": CONTENT_TYPE, "Content-Encoding": "zstd"}, 422, "not zstd"),
        ({"Content-Type": "application/json"}, 415, "multipart/form-data with its boundary"),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_refused_in_a_sentence(
    client: httpx.AsyncClient, headers: dict[str, str], status: int, words: str
) -> None:
    answer = await client.post("/runs/multipart", content=whole([b"\r\n"]) * 9, headers=headers)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


async def test_beyond_what_a_process_holds_clients_are_asked_to_come_again(
    client: httpx.AsyncClient, app: FastAPI
) -> None:
    """And what was refused, or is done with, is not counted any more."""
    room = app.state.room = Room(20_000)
    one = of_run(new(), bodies={"inputs": "x" * 4_000})
    with room.hold() as others:
        others.take(17_000)
        for encoding in ("", "zstd"):
            refused = await send(client, one, encoding=encoding)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert (await send(client, of_run(new(), bodies={}))).status_code == 202
    assert (await send(client, one)).status_code == 202


@pytest.mark.parametrize("inputs", ["x" * 30_000, [[]] * 1_000])
async def test_what_one_gateway_can_never_hold_is_too_large_rather_than_too_early(
    client: httpx.AsyncClient, app: FastAPI, inputs: Any
) -> None:
    """Also what is short, and large once it is read."""
    app.state.room = Room(20_000)
    answer = await send(client, of_run(new(), bodies={"inputs": inputs}))
    assert answer.status_code == 413
    assert "smaller parts" in answer.json()["detail"]


async def test_bodies_that_come_at_once_share_the_room(client: httpx.AsyncClient, app: FastAPI) -> None:
    """Each of the two fits alone, and both are there before either has come whole."""
    room = app.state.room = Room(5_000)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield whole([of_run(new(), bodies={"inputs": "x" * 2_500})])[:-1]
        begun.set()
        await go_on.wait()
        yield b"\n"

    first = asyncio.create_task(
        client.post("/runs/multipart", content=slowly(), headers={"Content-Type": CONTENT_TYPE})
    )
    await begun.wait()
    assert (await send(client, of_run(new(), bodies={"inputs": "x" * 2_500}))).status_code == 429
    go_on.set()
    assert (await first).status_code == 202
    assert room.free == 5_000


# Attachments


async def test_an_attachment_is_fetched_without_a_key_from_an_address_that_holds_a_while(
    client: httpx.AsyncClient, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, content = new(), bytes(range(256)) + b"\r\n--\r\n"
    await send(
        client, part(f"attachment.{run_id}.pic é", content, mime_type="image/png"), of_run(run_id, bodies={"inputs": 1})
    )
    urls = await attachments.attachment_urls(store, CALLER, await stored(store, run_id))
    assert {name: one["mime_type"] for name, one in urls.items()} == {"attachment.pic é": "image/png"}
    url = urls["attachment.pic é"]["presigned_url"]
    answer = await client.get(f"/api{url}")
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, content, "image/png")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    monkeypatch.setattr(attachments, "LIFETIME", -1)
    expired = await attachments.attachment_urls(store, CALLER, await stored(store, run_id))
    late = await client.get(expired["attachment.pic é"]["presigned_url"])
    assert late.status_code == 403
    assert "expired" in late.json()["detail"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("until=", "until=1"), ("name=pic", "name=pid"), ("workspace=0", "workspace=1"), ("signature=", "signature=é")],
)
async def test_an_address_that_was_changed_opens_nothing(
    client: httpx.AsyncClient, store: SqliteStore, old: str, new: str
) -> None:
    run_id = str(uuid4())
    await send(client, part(f"attachment.{run_id}.pic", b"1"), of_run(run_id, bodies={}))
    urls = await attachments.attachment_urls(store, CALLER, await stored(store, run_id))
    url = urls["attachment.pic"]["presigned_url"]
    answer = await client.get(url.replace(old, new, 1))
    assert answer.status_code == 403


@pytest.mark.parametrize("mime_type", ["text/html", "image/svg+xml", "nonsense", "text/html\tx"])
async def test_what_a_browser_might_run_is_served_as_bytes(
    client: httpx.AsyncClient, store: SqliteStore, mime_type: str
) -> None:
    run_id = new()
    await send(client, part(f"attachment.{run_id}.page", b"<script>", mime_type=mime_type), of_run(run_id, bodies={}))
    urls = await attachments.attachment_urls(store, CALLER, await stored(store, run_id))
    answer = await client.get(urls["attachment.page"]["presigned_url"])
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_run_without_attachments_has_no_addresses(client: httpx.AsyncClient, store: SqliteStore) -> None:
    run_id = new()
    await send(client, of_run(run_id, bodies={}))
    assert await attachments.attachment_urls(store, CALLER, await stored(store, run_id)) == {}
