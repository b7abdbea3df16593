"""Feedback over HTTP: what is kept, found and counted, and what is refused."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway import feedback_body
from shared.store.sqlite import SqliteStore
from tests.services.gateway import asked, send, sent, uid
from tests.services.sending import CONTENT_TYPE, of_run, part, whole

FEEDBACK = "aaaaaaaa-0000-4000-8000-000000000001"
HARD: dict[str, Any] = {"half \ud83d": ["\x00", float("nan"), 10**60, {"": None}]}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    async with asked(store) as found:
        yield found
    await store.close()


async def post(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/feedback", content=json.dumps({"key": "liked", "run_id": uid(0), **fields}))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def post_parts(client: httpx.AsyncClient, *parts: bytes) -> httpx.Response:
    return await client.post("/runs/multipart", content=whole(parts), headers={"Content-Type": CONTENT_TYPE})


def feedback_part(feedback_id: str = FEEDBACK, **fields: Any) -> bytes:
    return part(f"feedback.{feedback_id}", json.dumps({"key": "liked", "id": feedback_id, **fields}).encode())


async def stats(client: httpx.AsyncClient, run: int = 0) -> Any:
    return (await client.get(f"/runs/{uid(run)}")).json()["feedback_stats"]


async def test_what_is_sent_is_found_again_equal(client: httpx.AsyncClient) -> None:
    project = await send(client, sent(0))
    said = {
        "id": FEEDBACK, "score": 0.5, "value": HARD, "comment": "half \ud83d \x00", "correction": {"a": [1]},
        "feedback_source": {"type": "model", "metadata": HARD}, "feedback_config": {"type": "continuous", "min": 0},
        "extra": HARD, "created_at": "2026-01-01T00:00:00+00:00", "modified_at": "2026-01-02T00:00:00.000001+00:00",
    }  # fmt: skip
    made = await post(client, **said)
    [listed] = (await client.get("/feedback", params={"run": uid(0)})).json()
    for found in (made, (await client.get(f"/feedback/{FEEDBACK}")).json(), listed):
        assert repr({name: found[name] for name in said}) == repr(said)
        assert (found["key"], found["run_id"], found["trace_id"], found["session_id"]) == (
            *("liked", uid(0), uid(0), project),
        )


async def test_a_list_is_bare_newest_first_and_by_run_key_source_and_project(client: httpx.AsyncClient) -> None:
    project = await send(client, sent(0), sent(1, parent=0), sent(2))
    for number in range(3):
        await post(client, run_id=uid(number), key=f"k{number}", created_at=f"2026-01-0{number + 1}")
    await post(client, run_id=None, session_id=project, key="whole", feedback_source={"type": "app"})

    async def keys(query: str) -> list[str]:
        return [one["key"] for one in (await client.get(f"/feedback?{query}")).json()]

    assert await keys("") == ["whole", "k2", "k1", "k0"]
    assert await keys(f"run={uid(0)}&run={uid(2).upper()}") == ["k2", "k0"]
    assert await keys("key=k1&key=whole&made_up=1") == ["whole", "k1"]
    assert await keys("source=app") == ["whole"]
    assert await keys(f"session={project}&limit=1000") == ["whole", "k2", "k1", "k0"]
    assert await keys("limit=2&offset=1") == ["k2", "k1"]
    assert await keys(f"run={uid(9)}") == []
    [child] = (await client.get("/feedback?key=k1")).json()
    assert (child["run_id"], child["trace_id"]) == (uid(1), uid(0))
    [on_project] = (await client.get("/feedback?key=whole")).json()
    assert (on_project["run_id"], on_project["trace_id"], on_project["session_id"]) == (None, None, project)


async def test_the_figures_of_a_run_follow_each_change(client: httpx.AsyncClient) -> None:
    """A child's feedback is the child's; a repeat, also one with another score, is one piece of feedback."""
    project = await send(client, sent(0), sent(1, parent=0))
    for score in (False, True, True):
        await post(client, id=FEEDBACK, score=score)
    second = (await post(client, score=0))["id"]
    await post(client, run_id=uid(1), score=7)
    assert await stats(client) == {"liked": {"n": 2, "avg": 0.5}}
    assert await stats(client, 1) == {"liked": {"n": 1, "avg": 7}}

    changed = await client.patch(f"/feedback/{second}", json={"score": 3, "comment": "better", "key": "ignored"})
    assert (changed.json()["score"], changed.json()["comment"], changed.json()["key"]) == (3, "better", "liked")
    assert await stats(client) == {"liked": {"n": 2, "avg": 2}}
    filtered = {"session": [project], "filter": 'and(eq(feedback_key, "liked"), eq(feedback_score, 2))'}
    assert [one["id"] for one in (await client.post("/runs/query", json=filtered)).json()["runs"]] == [uid(0)]
    assert (await client.post("/runs/stats", json={"session": [project], "is_root": True})).json()[
        "feedback_stats"
    ] == {"liked": {"n": 2, "avg": 2}}

    assert (await client.patch(f"/feedback/{second}", json={"score": None})).json()["comment"] == "better"
    assert await stats(client) == {"liked": {"n": 2, "avg": 1}}
    for feedback_id in (second, FEEDBACK):
        assert (await client.delete(f"/feedback/{feedback_id}")).status_code == 200
        assert (await client.get(f"/feedback/{feedback_id}")).status_code == 404
        assert (await client.delete(f"/feedback/{feedback_id}")).status_code == 404
    assert await stats(client) is None


async def test_feedback_moves_to_the_run_that_it_names_last(client: httpx.AsyncClient) -> None:
    await send(client, sent(0), sent(1))
    for run in (0, 1):
        await post(client, id=FEEDBACK, run_id=uid(run), score=1)
    assert (await stats(client), await stats(client, 1)) == (None, {"liked": {"n": 1, "avg": 1}})


async def test_feedback_on_a_trace_is_on_its_root(client: httpx.AsyncClient) -> None:
    await send(client, sent(0))
    made = await post(client, run_id=None, trace_id=uid(0), score=1)
    assert made["run_id"] == uid(0)
    assert await stats(client) == {"liked": {"n": 1, "avg": 1}}


async def test_feedback_for_what_is_not_there_is_404_so_that_clients_come_again(client: httpx.AsyncClient) -> None:
    for about in ({"run_id": uid(0)}, {"session_id": uid(5)}):
        refused = await client.post("/feedback", json={"key": "liked", **about})
        assert refused.status_code == 404
    assert (await client.get("/feedback")).json() == []
    await send(client, sent(0))
    await post(client)


@pytest.mark.parametrize("first", ["feedback", "together", "run"])
async def test_parts_of_feedback_and_run_come_in_any_order(client: httpx.AsyncClient, first: str) -> None:
    said = feedback_part(run_id=uid(0), trace_id=uid(0), score=1, value=None, session_id=None)
    run = of_run(uid(0), bodies={"outputs": {"a": 1}}, **{key: sent(0)[key] for key in ("name", "session_name")})
    requests = {"feedback": [[said], [run]], "together": [[said, run]], "run": [[run], [said]]}
    for parts in requests[first]:
        assert (await post_parts(client, *parts)).json()["reasons"] == []
    assert await stats(client) == {"liked": {"n": 1, "avg": 1}}
    patch = of_run(uid(0), "patch", bodies={"outputs": {"b": 2}}, end_time="2026-01-01T00:00:09Z")
    for _ in range(2):
        assert (await post_parts(client, patch, said)).status_code == 202
        assert await stats(client) == {"liked": {"n": 1, "avg": 1}}
    [project] = (await client.get("/sessions?name=shop")).json()
    [found] = (await client.get(f"/feedback?session={project['id']}")).json()
    assert (found["id"], found["trace_id"]) == (FEEDBACK, uid(0))


async def test_a_part_that_is_no_feedback_is_refused_with_a_reason_and_the_others_kept(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(client, sent(0))
    parts = [
        feedback_part(run_id=uid(0), score=1),
        feedback_part("b", run_id=uid(0), score="good"),
        feedback_part("c", run_id=uid(0), comment="x" * feedback_body.BYTES),
        feedback_part("d"),
        feedback_part("e", session_id=uid(7)),
        feedback_part("f", run_id=uid(0), key="k" * 181),
        part("feedback.g", b"[]"),
        part("feedback.h", b"{"),
    ]
    answer = (await post_parts(client, *parts)).json()
    said = ["a score is", "1,048,576 bytes", "say what it is about", "not JSON"]
    said += ["there is no project", "1 to 180", "feedback.g"]
    assert answer["refused"] == 7
    assert all(any(one in reason for reason in answer["reasons"]) for one in said), answer
    assert [one["id"] for one in (await client.get("/feedback")).json()] == [FEEDBACK]
    assert (await post_parts(client, parts[1])).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"score": 1}, 422),
        ({"key": ""}, 422),
        ({"key": "k", "score": "1"}, 422),
        ({"key": "k", "score": [1]}, 422),
        ({"key": "k", "comment": {"a": 1}}, 422),
        ({"key": "k", "created_at": "yesterday"}, 422),
        ({"key": "k", "feedback_source": "api"}, 422),
        ({"key": "k", "run_id": None}, 422),
        ({"key": "k", "run_id": {}}, 422),
        ([], 422),
        (None, 422),
        ({"key": "k", "comment": "x" * feedback_body.BYTES}, 413),
        ({"key": "k", "score": 10**400, "id": "\ud800 \x00", "value": [[[]]]}, 200),
        ({"key": "\ud800\x00", "score": float("-inf"), "comment": "\ud800"}, 200),
        ({"key": "k", "created_at": "0001-01-01T00:00:00Z", "modified_at": "9999-12-31T00:00:00Z"}, 200),
    ],
)
async def test_a_body_is_kept_or_refused_with_a_reason(client: httpx.AsyncClient, body: Any, status: int) -> None:
    await send(client, sent(0))
    whole_body = {"run_id": uid(0), **body} if isinstance(body, dict) else body
    answer = await client.post("/feedback", content=json.dumps(whole_body))
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["detail"]
    listed = await client.get("/feedback")
    assert (listed.status_code, len(listed.json())) == (200, int(status == 200))
    assert (await client.get(f"/runs/{uid(0)}")).status_code == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", f"offset={10**30}"])
async def test_a_query_that_means_nothing_is_422(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/feedback?{query}")).status_code == 422


async def test_a_client_whose_clock_is_ahead_does_not_block_later_changes(client: httpx.AsyncClient) -> None:
    await send(client, sent(0))
    for score, modified in ((1, "9000-01-01"), (2, "9000-01-01"), (3, None)):
        await post(client, id=FEEDBACK, score=score, modified_at=modified)
    assert await stats(client) == {"liked": {"n": 1, "avg": 3}}


async def test_a_project_goes_with_its_feedback(client: httpx.AsyncClient) -> None:
    project = await send(client, sent(0))
    await post(client)
    await post(client, run_id=None, session_id=project)
    assert (await client.delete(f"/sessions/{project}")).status_code == 202
    assert (await client.get("/feedback")).json() == []
