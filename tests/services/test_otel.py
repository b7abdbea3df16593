"""Spans over HTTP: what becomes of them, in both encodings and every way to pack them; what is refused, and how."""

import asyncio
import gzip
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from google.protobuf.json_format import ParseDict
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from services.gateway import intake
from shared.store.sqlite import SqliteStore
from tests.services.gateway import asked
from tests.services.spans import request, told

PROTOBUF, JSON = "application/x-protobuf", "application/json"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "zstd": lambda body: zstandard.ZstdCompressor().compress(body),
}
ROOT, CHILD = told(0, None, {"gen_ai.prompt": '{"q": "hé 😀"}'}), told(1, 0, {"user.id": "u"})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    await store.init()
    async with asked(store) as found:
        yield found
    await store.close()


def binary(fields: dict[str, Any]) -> bytes:
    """The same request in protobuf, with the ids' bytes."""
    spans = fields["resourceSpans"][0]["scopeSpans"][0]["spans"]
    bare = [{name: value for name, value in one.items() if not name.endswith("Id")} for one in spans]
    scoped = [{**fields["resourceSpans"][0]["scopeSpans"][0], "spans": bare}]
    message = ParseDict(
        {"resourceSpans": [{**fields["resourceSpans"][0], "scopeSpans": scoped}]}, ExportTraceServiceRequest()
    )
    for one, made in zip(spans, message.resource_spans[0].scope_spans[0].spans, strict=True):
        made.trace_id, made.span_id = bytes.fromhex(one["traceId"]), bytes.fromhex(one["spanId"])
        made.parent_span_id = bytes.fromhex(one.get("parentSpanId", ""))
    return message.SerializeToString()


async def send(client: httpx.AsyncClient, body: bytes, kind: str, at: str = "", **headers: str) -> httpx.Response:
    return await client.post(f"{at}/otel/v1/traces", content=body, headers={"Content-Type": kind, **headers})


async def runs(client: httpx.AsyncClient, project: str = "default") -> dict[str, dict[str, Any]]:
    """Those of a project, by name."""
    [found] = (await client.get(f"/sessions?name={project}")).json()
    listed = (await client.post("/runs/query", json={"session": [found["id"]]})).json()["runs"]
    return {one["name"]: one for one in listed}


@pytest.mark.parametrize("at", ["", "/api", "/api/v1"])
@pytest.mark.parametrize("packing", sorted(PACK))
@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
async def test_what_was_sent_is_found_again(client: httpx.AsyncClient, kind: str, packing: str, at: str) -> None:
    fields = request(ROOT, CHILD)
    body = PACK[packing](json.dumps(fields).encode() if kind == JSON else binary(fields))
    answer = await send(client, body, kind, at, **{"Content-Encoding": packing})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content == (b"{}" if kind == JSON else b"")
    found = await runs(client)
    assert found["span 0"]["inputs"] == {"q": "hé 😀"}
    assert found["span 1"]["parent_run_id"] == found["span 0"]["id"]
    assert found["span 1"]["metadata"]["user.id"] == "u"
    assert (found["span 0"]["latency"], found["span 0"]["status"]) == (2.0, "success")


async def test_the_header_names_the_project_of_spans_that_name_none(client: httpx.AsyncClient) -> None:
    own = told(2, None, {"langsmith.trace.session_name": "own"})
    await send(client, binary(request(ROOT, own)), PROTOBUF, **{"Langsmith-Project": "shop"})
    assert set(await runs(client, "shop")) == {"span 0"}
    assert set(await runs(client, "own")) == {"span 2"}


async def test_a_repeat_changes_nothing(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await send(client, binary(request(ROOT, CHILD)), PROTOBUF)
    assert len(await runs(client)) == 2


async def test_a_trace_is_filtered_by_its_root(client: httpx.AsyncClient) -> None:
    """Though that has an id of its own, not its trace's."""
    await send(client, binary(request(ROOT, CHILD)), PROTOBUF)
    found = await runs(client)
    wanted = {"session": [found["span 0"]["session_id"]], "trace_filter": 'eq(name, "span 0")'}
    assert len((await client.post("/runs/query", json=wanted)).json()["runs"]) == 2


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
async def test_a_span_without_ids_is_refused_and_the_others_kept(client: httpx.AsyncClient, kind: str) -> None:
    fields = request(ROOT, {**CHILD, "traceId": ""}, {**CHILD, "spanId": "00" * 8})
    answer = await send(client, json.dumps(fields).encode() if kind == JSON else binary(fields), kind)
    told_ = ExportTraceServiceResponse()
    ParseDict(answer.json(), told_) if kind == JSON else told_.ParseFromString(answer.content)
    assert (answer.status_code, told_.partial_success.rejected_spans) == (200, 2)
    assert "span id" in told_.partial_success.error_message
    assert set(await runs(client)) == {"span 0"}


async def test_half_an_emoji_costs_no_span(client: httpx.AsyncClient) -> None:
    """As JavaScript's exporter leaves behind where it cuts a text."""
    body = json.dumps(request(told(0, None, {"user.id": "cut \ud83d"}))).encode()
    assert (await send(client, body, JSON)).content == b"{}"
    assert (await runs(client))["span 0"]["metadata"]["user.id"] == "cut \ufffd"


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [(PROTOBUF, b"\xff", 400, 3), (JSON, b"{", 400, 3), (JSON, b"[]", 400, 3), ("text/plain", b"", 415, 3)],
)
async def test_what_cannot_be_read_is_a_status(
    client: httpx.AsyncClient, kind: str, body: bytes, status: int, code: int
) -> None:
    answer = await send(client, body, kind)
    found = Status()
    ParseDict(answer.json(), found) if kind == JSON else found.ParseFromString(answer.content)
    assert (answer.status_code, found.code) == (status, code)
    assert found.message


async def test_too_much_is_told_before_it_is_read(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "RUNS_BYTES", 1_000)
    assert (await send(client, b"x" * 1_001, PROTOBUF)).status_code == 413
    bomb = gzip.compress(bytes(1_001))
    assert (await send(client, bomb, PROTOBUF, **{"Content-Encoding": "gzip"})).status_code == 413


@pytest.mark.parametrize("pair", [b"\x12\x00", b"\x4a\x00", b"\x5a\x00", b"\x6a\x00"])
async def test_many_empty_messages_take_more_room_than_there_is(client: httpx.AsyncClient, pair: bytes) -> None:
    """Two bytes each, of which protobuf makes up to 180."""
    assert (await send(client, pair * 5_000_000, PROTOBUF)).status_code == 413


NAMES = st.sampled_from(
    [
        "gen_ai.prompt",
        "gen_ai.prompt.0.role",
        "gen_ai.input.messages",
        "llm.input_messages.0.message.content",
        "events",
        "metadata",
        "\x00",
        "gen_ai.completion.0.tool_calls.0.name",
        "langsmith.span.id",
        "langsmith.trace.session_id",
        "langsmith.trace.session_name",
        "langsmith.metadata.a",
        "langsmith.usage_metadata",
        "gen_ai.usage.input_tokens",
        "langsmith.span.tags",
        "input.value",
        "session.id",
        "retrieval.documents.0.document",
        "pydantic_ai.all_messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.result",
        "langsmith.span.dotted_order",
        "openinference.span.kind",
    ]
)
PARTS = [
    '[{"role": 1, "parts": [{"type": []}, 5, {"type": "text"}]}]',
    '[{"role":"tool","parts":[]}]',
    "[[]]",
    "{",
    "\x00",
]
TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(PARTS) | st.just("\ud83d")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(10**400) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from(
    ["stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue"]
)
VALUE = st.dictionaries(KINDS, ANY, max_size=1) | st.fixed_dictionaries({"stringValue": TEXT}) | ANY
ATTRIBUTES = st.lists(st.fixed_dictionaries({"key": NAMES, "value": VALUE}), max_size=4)
EVENT = st.fixed_dictionaries(
    {"name": st.sampled_from(["gen_ai.choice", "gen_ai.tool.message", "exception"]), "attributes": ATTRIBUTES}
)
SPAN = st.fixed_dictionaries(
    {"attributes": ATTRIBUTES, "events": st.lists(EVENT, max_size=2)},
    optional=dict.fromkeys(("startTimeUnixNano", "status", "parentSpanId", "traceId", "kind", "name", "links"), ANY),
)


class _Loop:
    """One store for all examples."""

    def __init__(self, folder: str) -> None:
        self._runner = asyncio.Runner()
        self.store = self._runner.run(SqliteStore.open(f"sqlite:///{folder}/insights.db"))
        self._runner.run(self.store.init())

    def send(self, body: bytes, kind: str) -> int:
        async def sent() -> int:
            async with asked(self.store) as client:
                return (await send(client, body, kind)).status_code

        return self._runner.run(sent())

    def close(self) -> None:
        self._runner.run(self.store.close())
        self._runner.close()


@pytest.fixture(scope="module")
def loop() -> Iterator[_Loop]:
    with tempfile.TemporaryDirectory() as folder:
        found = _Loop(folder)
        yield found
        found.close()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(spans=st.lists(SPAN, max_size=3))
def test_any_span_is_answered(loop: _Loop, spans: list[dict[str, Any]]) -> None:
    body = json.dumps(request(*({**told(n), **one} for n, one in enumerate(spans)))).encode()
    assert loop.send(body, JSON) < 500


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=ANY)
def test_any_json_is_answered(loop: _Loop, body: Any) -> None:
    groups = {"resourceSpans": [{"resource": body, "scopeSpans": body}]}
    assert all(loop.send(json.dumps(one).encode(), JSON) < 500 for one in (body, {"resourceSpans": body}, groups))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(noise=st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4))
def test_any_protobuf_is_answered(loop: _Loop, noise: list[tuple[int, bytes]]) -> None:
    body = bytearray(binary(request(ROOT, CHILD, service="shop")))
    for at, bytes_ in noise:
        body[at : at + len(bytes_)] = bytes_
    assert loop.send(bytes(body), PROTOBUF) < 500


@pytest.mark.parametrize("depth", [30, 130, 480, 5_000])
def test_deep_values_are_answered(loop: _Loop, depth: int) -> None:
    value = '{"arrayValue": {"values": [' * depth + '{"intValue": 1}' + "]}}" * depth
    span = json.dumps(told(0)).replace('"attributes": []', f'"attributes": [{{"key": "a", "value": {value}}}]')
    body = json.dumps(request("SPAN")).replace('"SPAN"', span)
    assert loop.send(body.encode(), JSON) < 500
    inner = "[" * depth + "]" * depth
    assert (
        loop.send(binary(request(told(1, None, {"gen_ai.input.messages": inner, "input.value": inner}))), PROTOBUF)
        == 200
    )
