"""Reading runs over HTTP: pages, the read model, and what a client may ask."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway import queries, rows
from shared.matching import Page
from shared.models import DEFAULT_WORKSPACE
from shared.store import connect
from tests.services.gateway import asked, send, sent, uid

NEEDED = {"id", "name", "run_type", "start_time", "trace_id", "session_id"}
DETAILS = {"prompt_token_details", "completion_token_details", "prompt_cost_details", "completion_cost_details"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    async with asked(store) as client:
        yield client
    await store.close()


async def query(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/runs/query", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.content)
    return found


def numbers(runs: list[dict[str, Any]]) -> list[int]:
    return [int(run["id"][-12:]) for run in runs]


async def found(client: httpx.AsyncClient, **body: Any) -> list[int]:
    return numbers((await query(client, **body))["runs"])


async def test_pages_of_at_most_a_hundred_go_on_with_a_cursor_until_all_were_read(client: httpx.AsyncClient) -> None:
    project = await send(client, *(sent(number) for number in range(230)))
    read: list[int] = []
    cursor: str | None = None
    sizes: list[int] = []
    while cursor is not None or not sizes:
        page = await query(client, session=[project], limit=500, cursor=cursor, order="asc")
        read += numbers(page["runs"])
        sizes.append(len(page["runs"]))
        cursor = page["cursors"]["next"]
    assert (read, sizes) == (list(range(230)), [100, 100, 30])
    assert await found(client, session=project, limit=3) == [229, 228, 227]


async def test_a_page_ends_where_it_grows_too_large_and_the_next_begins_there(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LARGEST", 5_000)
    project = await send(client, *(sent(number, inputs={"long": "x" * 2_000}) for number in range(5)))
    first = await query(client, session=[project])
    second = await query(client, session=[project], cursor=first["cursors"]["next"])
    assert (numbers(first["runs"]), numbers(second["runs"])) == ([4], [3])
    assert (await query(client, session=[project], select=["id"]))["cursors"]["next"] is None


async def test_what_was_sent_is_read_equal_and_times_have_their_zone(client: httpx.AsyncClient) -> None:
    hard = {"nan": float("nan"), "huge": 10**400, "half \ud83d": "NUL \x00 \udc00", "deep": [[[{"": None}]]], "é": "😀"}
    extra = {"metadata": {"thread_id": "t", "n": float("inf")}, "runtime": {"sdk": "x"}}
    told: dict[str, Any] = {"error": "Long\nerror", "tags": ["é"], "events": [{"name": "e"}]}
    project = await send(client, sent(1, inputs=hard, outputs={"a": hard}, extra=extra, **told))
    [row] = (await query(client, session=[project]))["runs"]
    one = json.loads((await client.get(f"/runs/{uid(1)}")).content)
    for read in (row, one):
        assert repr(read["inputs"]) == repr(hard)
        assert repr(read["outputs"]) == repr({"a": hard})
        assert repr(read["extra"]) == repr(extra)
        assert {name: read[name] for name in told} == told
        assert read["start_time"] == read["end_time"] == "2026-01-01T00:00:01+00:00"
        assert (read["thread_id"], read["session_id"], read["trace_id"]) == ("t", project, uid(1))
        assert (read["status"], read["parent_run_id"], read["parent_run_ids"]) == ("error", None, [])


async def test_select_hides_what_it_does_not_name_but_never_details_nor_what_clients_need(
    client: httpx.AsyncClient,
) -> None:
    project = await send(client, sent(1, inputs={"a": 1}, error="E"))
    [row] = (await query(client, session=[project], select=["error", "no such field"]))["runs"]
    assert row.keys() == {"error"} | NEEDED | DETAILS
    assert row["error"] == "E"


TREE = [
    sent(0, inputs={"q": "refund please"}, extra={"metadata": {"env": "prod"}}),
    sent(1, 0, run_type="llm", error="Boom", outputs={"messages": [{"content": "sorry"}]}),
    sent(2, 1, run_type="tool", name="search"),
    sent(3, inputs={"q": "other"}),
]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"order": "asc"}, [0, 1, 2, 3]),
        ({"is_root": True}, [3, 0]),
        ({"execution_order": 1}, [3, 0]),
        ({"is_root": False}, [2, 1]),
        ({"run_type": "llm"}, [1]),
        ({"error": True}, [1]),
        ({"error": False, "is_root": False}, [2]),
        ({"start_time": "2026-01-01T00:00:02"}, [3, 2]),
        ({"end_time": "2026-01-01T00:00:02Z", "start_time": "2026-01-01T01:00:01+01:00"}, [2, 1]),
        ({"query": "REFUND"}, [0]),
        ({"filter": 'search("refund please")'}, [0]),
        ({"filter": 'and(eq(input_key, "q"), like(input_value, "%other%"))'}, [3]),
        ({"filter": 'and(eq(output_key, "messages.content"), eq(output_value, "sorry"))'}, [1]),
        ({"filter": 'and(eq(metadata_key, "env"), eq(metadata_value, "prod"))'}, [0]),
        ({"filter": 'neq(metadata_key, "env")', "is_root": True}, [3]),
        ({"trace_filter": 'and(eq(metadata_key, "env"), eq(metadata_value, "prod"))'}, [2, 1, 0]),
        ({"tree_filter": 'eq(name, "search")', "is_root": True}, [0]),
        ({"tree_filter": 'search("sorry")', "trace_filter": 'search("refund")', "filter": 'eq(run_type, "tool")'}, [2]),
        ({"id": [uid(3), uid(1)], "session": [uid(99)], "filter": 'eq(name, "x")'}, [3, 1]),
        ({"trace": uid(0)}, [2, 1, 0]),
        ({"trace": uid(0), "session": None, "is_root": False}, [2, 1]),
        ({"parent_run": uid(1)}, [2]),
        ({"parent_run": uid(1), "session": None}, [2]),
        ({"parent_run": uid(77)}, []),
        ({"reference_example": [uid(1)]}, []),
        ({"session": [uid(99)]}, []),
        ({"unknown": 1, "data_source_type": "current"}, [3, 2, 1, 0]),
    ],
)
async def test_each_way_to_ask_finds_its_runs(
    client: httpx.AsyncClient, body: dict[str, Any], expected: list[int]
) -> None:
    project = await send(client, *TREE)
    assert await found(client, **{"session": [project], **body}) == expected


async def test_a_run_is_read_with_those_below_it_when_asked(client: httpx.AsyncClient) -> None:
    await send(client, *TREE)
    alone = (await client.get(f"/runs/{uid(1)}")).json()
    whole = (await client.get(f"/runs/{uid(0)}?children=true")).json()
    assert "child_runs" not in alone
    assert numbers(whole["child_runs"]) == [1, 2]
    assert [child["parent_run_id"] for child in whole["child_runs"]] == [uid(0), uid(1)]


async def test_a_run_whose_id_was_no_uuid_is_found_by_it(client: httpx.AsyncClient) -> None:
    await send(client, sent(1, id="order-7"))
    read = (await client.get("/runs/order-7")).json()
    assert (await query(client, id=["order-7"]))["runs"][0]["id"] == read["id"]


async def test_stats_are_of_the_runs_that_match_and_count_repeated_usage_once(client: httpx.AsyncClient) -> None:
    usage = {"usage_metadata": {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5}}
    slow = sent(5, end_time="2026-01-01T00:00:09", outputs=usage)
    project = await send(client, sent(0, outputs=usage), sent(1, 0, outputs=usage, error="E"), slow)
    stats = (await client.post("/runs/stats", json={"session": [project]})).json()
    assert (stats["run_count"], stats["total_tokens"], stats["latency_p99"]) == (3, 10, pytest.approx(3.92))
    assert stats["error_rate"] == pytest.approx(1 / 3)
    assert stats["last_run_start_time"] == "2026-01-01T00:00:05+00:00"
    one = (await client.post("/runs/stats", json={"session": [project], "filter": 'eq(status, "error")'})).json()
    assert (one["run_count"], one["error_rate"], one["complete"]) == (1, 1.0, True)
    none = (await client.post("/runs/stats", json={"id": []})).json()
    assert (none["run_count"], none["latency_p50"], none["error_rate"]) == (0, None, None)


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({}, 422, "session, id, trace"),
        ({"session": [uid(1)], "filter": 'eq(statuss, "x")'}, 400, "did you mean status"),
        ({"session": [uid(1)], "tree_filter": "("}, 400, "^"),
        ({"session": [uid(1)], "cursor": "%%%"}, 422, "cursor"),
        ({"session": [uid(1)], "cursor": "WzFlOTk5LCAiYSJd"}, 422, "cursor"),
        ({"session": [uid(1)], "limit": 0}, 422, "limit"),
        ({"session": [uid(1)], "order": "up"}, 422, "order"),
        ({"session": [uid(1)], "start_time": "soon"}, 422, "start_time"),
        ({"session": [uid(1)], "filter": "\ud800"}, 422, "filter"),
        ({"session": [{}]}, 422, "session"),
        ([], 422, ""),
    ],
)
async def test_a_query_that_cannot_be_answered_is_refused_with_what_to_do(
    client: httpx.AsyncClient, body: Any, status: int, named: str
) -> None:
    for path in ("/runs/query", "/runs/stats"):
        answer = await client.post(path, content=json.dumps(body))
        if path == "/runs/stats" and "cursor" in body:
            continue
        assert answer.status_code == status, answer.text
        assert named in answer.json()["detail"]


async def test_another_workspaces_runs_are_not_there(client: httpx.AsyncClient, tmp_path: Path) -> None:
    project = await send(client, *TREE)
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    runs = (await store.runs(DEFAULT_WORKSPACE, [uid(0)])).values()
    assert await queries.matching(store, "other", queries.RunsQuery(session=[project])) == Page([], None)
    assert await queries.matching(store, "other", queries.RunsQuery(id=[uid(0)])) == Page([], None)
    assert len(runs) == 1
    await store.close()
    assert (await client.get(f"/runs/{uid(50)}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"count": 2}),
        ({"filter": 'eq(status, "success")'}, {"count": 2}),
        ({"filter": 'search("refund")'}, {"count": 1}),
        ({"start_time": "2026-01-01T00:00:03Z"}, {"count": 1}),
        ({"last_n_hours": 1}, {"count": 0}),
        ({"start_time": "2026-01-01T00:00:03", "attribute_schemas": {"angry": "boolean"}}, {"count": 1}),
    ],
)
async def test_a_jobs_filter_is_counted_over_finished_traces_in_its_window(
    client: httpx.AsyncClient, body: dict[str, Any], expected: dict[str, int]
) -> None:
    project = await send(client, *TREE, sent(9, end_time=None))
    answer = await client.post(f"/sessions/{project}/insights/count", json=body)
    assert answer.json() == expected
    refused = await client.post(f"/sessions/{project}/insights/count", json={"filter": "eq("})
    assert (refused.status_code, "^" in refused.json()["detail"]) == (422, True)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(uid(0)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
TEXTS = st.sampled_from(["eq(name, 'x')", "search('a')", "(", "neq(error, null)", "\ud800", "in(name, [])", "not("])
BODIES = st.fixed_dictionaries(
    {"session": st.just([uid(0)]) | ANY},
    optional={
        **dict.fromkeys(("id", "trace", "start_time", "error", "limit", "order", "select", "cursor", "query"), ANY),
        **dict.fromkeys(("filter", "trace_filter", "tree_filter", "run_type"), TEXTS),
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BODIES, st.sampled_from(["/runs/query", "/runs/stats", "/api/v2/runs/query", "/sessions"]))
async def test_no_body_makes_the_server_fail(client: httpx.AsyncClient, body: dict[str, Any], path: str) -> None:
    answer = await client.post(path, content=json.dumps(body))
    assert answer.status_code < 500
    json.loads(answer.content)
