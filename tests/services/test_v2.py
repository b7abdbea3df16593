"""The newer API's reads: windows, what is selected, and pages."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.store import connect
from tests.services.gateway import asked, send, sent, uid

SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    async with asked(store) as client:
        yield client
    await store.close()


async def query(client: httpx.AsyncClient, what: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v2/{what}/query", json={"min_start_time": SINCE, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def thread(name: str) -> dict[str, Any]:
    return {"extra": {"metadata": {"thread_id": name}}}


USAGE = {"usage_metadata": {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [2, 1, 0]),
        ({"is_root": True}, [2, 0]),
        ({"run_type": "LLM"}, [1]),
        ({"has_error": True}, [1]),
        ({"ids": [uid(0), uid(1), uid(9)]}, [1, 0]),
        ({"trace_id": uid(0)}, [1, 0]),
        ({"min_start_time": "2026-01-01T00:00:01Z", "max_start_time": "2026-01-01T00:00:02Z"}, [1]),
        ({"min_start_time": None}, []),
        ({"filter": "eq(is_root, false)", "tree_filter": 'eq(run_type, "llm")'}, [1]),
    ],
)
async def test_runs_are_found_in_a_window_which_is_the_last_day_unless_it_is_given(
    client: httpx.AsyncClient, body: dict[str, Any], expected: list[int]
) -> None:
    project = await send(client, sent(0), sent(1, 0, run_type="llm", error="E"), sent(2))
    page = await query(client, "runs", project_ids=[project], **body)
    assert page == {"items": [{"id": uid(number)} for number in expected], "next_cursor": None}


async def test_what_is_selected_is_shown_by_its_new_names(client: httpx.AsyncClient) -> None:
    run = sent(1, run_type="llm", inputs={"q": "hi"}, outputs=USAGE, error="E\nmore", **thread("t"))
    project = await send(client, run)
    selects = ["STATUS", "PROJECT_ID", "LATENCY_SECONDS", "IS_ROOT", "RUN_TYPE", "INPUTS", "INPUTS_PREVIEW", "ERROR"]
    [item] = (await query(client, "runs", project_ids=[project], selects=[*selects, "TOTAL_TOKENS", "NO_SUCH"]))[
        "items"
    ]
    assert item == {
        "id": uid(1),
        "status": "ERROR",
        "project_id": project,
        "latency_seconds": 0.0,
        "is_root": True,
        "run_type": "LLM",
        "inputs": {"q": "hi"},
        "inputs_preview": '{"q":"hi"}',
        "error": "E\nmore",
        "total_tokens": 5,
    }


async def test_pages_go_on_with_their_cursor(client: httpx.AsyncClient) -> None:
    project = await send(client, *(sent(number) for number in range(5)))
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await query(client, "runs", project_ids=[project], page_size=2, cursor=cursor)
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == [uid(number) for number in (4, 3, 2, 1, 0)]


async def test_a_trace_is_its_root_run_and_what_is_known_of_the_whole(client: httpx.AsyncClient) -> None:
    project = await send(client, sent(0, outputs=USAGE, name="a"), sent(1, 0, error="E"), sent(2, name="b"))
    given = {"project_id": project, "selects": ["NAME", "TOTAL_TOKENS"]}
    page = await query(client, "traces", **given, trace_filter='eq(name, "a")', tree_filter='eq(status, "error")')
    assert page["items"] == [{"root_run": {"id": uid(0), "name": "a"}, "trace_aggregates": {"total_tokens": 5}}]
    some = await query(client, "traces", project_id=project, trace_ids=[uid(2), uid(1)])
    assert [item["root_run"]["id"] for item in some["items"]] == [uid(2)]


async def test_threads_are_listed_once_by_their_latest_trace(client: httpx.AsyncClient) -> None:
    first = sent(0, inputs={"q": "first"}, outputs=USAGE, **thread("t"))
    last = sent(3, outputs={"a": "last"}, error="Boom", **thread("t"))
    project = await send(client, first, sent(1, 0, **thread("t")), sent(2, **thread("u")), last, sent(4))
    one = await query(client, "threads", project_id=project, page_size=1)
    two = await query(client, "threads", project_id=project, page_size=1, cursor=one["next_cursor"])
    end = await query(client, "threads", project_id=project, page_size=1, cursor=two["next_cursor"])
    [item] = one["items"]
    told = {"thread_id": "t", "count": 2, "first_trace_id": uid(0), "last_trace_id": uid(3), "num_errored_turns": 1}
    assert item | told == item
    assert (item["first_inputs"], item["last_outputs"]) == ('{"q":"first"}', '{"a":"last"}')
    assert item["last_error"] == "Boom"
    assert item["total_tokens"] == 5
    assert [item["thread_id"] for item in two["items"]] == ["u"]
    assert end == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "body", [{}, {"project_id": uid(1), "page_size": 0}, {"project_id": uid(1), "ai_search": "slow ones"}]
)
@pytest.mark.parametrize("what", ["runs", "traces", "threads"])
async def test_what_cannot_be_answered_is_refused_with_what_to_do(
    client: httpx.AsyncClient, what: str, body: dict[str, Any]
) -> None:
    answer = await client.post(f"/api/v2/{what}/query", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
