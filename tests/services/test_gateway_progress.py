"""Progress as server-sent events: read from the store, the same from any gateway, and over with the job."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import HTTPException

from services.gateway import progress
from services.gateway.progress import Watch
from shared.models import FINAL, Item, ItemState, JobState
from tests.services.gateway_world import W, World, opened


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    async with opened(tmp_path) as found:
        yield found


async def running(world: World, *states: ItemState) -> tuple[str, str]:
    """The project's address and the id of a job with one item in each state."""
    at = await world.project()
    job_id = (await world.job(at))["id"]
    await world.store.insert_items(
        [
            Item(workspace_id=W, job_id=job_id, id=str(number), run_ids=(str(number),), state=state)
            for number, state in enumerate(states)
        ]
    )
    moved = {"sampled": len(states), "matched": len(states), "unfinished": 0}
    await world.store.move_job(W, job_id, {JobState.QUEUED}, JobState.RUNNING, **moved)
    return at, job_id


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def test_a_job_that_has_ended_is_told_once_whatever_the_client_saw_before(world: World) -> None:
    report = await world.report(await world.project(), [[3]])
    for headers in ({}, {"Last-Event-ID": "7"}, {"Last-Event-ID": "\x7f nonsense"}):
        answer = await world.client.get(f"{report}/events", headers=headers)
        assert answer.headers["content-type"].startswith("text/event-stream")
        [(name, told)] = events(answer.text)
        assert (name, told["status"], told["items"]["done"]) == ("end", "success", 3)
        assert {stage["state"] for stage in told["stages"]} == {"done"}


async def test_changes_are_told_as_they_come_until_the_end(world: World) -> None:
    _, job_id = await running(world, *ItemState)
    store = world.store
    steps = [
        lambda: store.move_job(W, job_id, {JobState.RUNNING}, JobState.READY),
        lambda: store.move_job(W, job_id, {JobState.READY}, JobState.CATEGORIZED),
        lambda: store.move_job(W, job_id, {JobState.CATEGORIZED}, JobState.SUCCESS),
    ]
    watch, told = Watch(), []
    job = await world.stored(job_id)
    async with asyncio.timeout(60):
        async for text in progress._events(watch, store, job):
            told += events(text)
            if steps and told[-1][1]["stages"][3 - len(steps) + 1]["state"] == "running":
                await steps.pop(0)()
    assert [name for name, _ in told][-1] == "end"
    assert {name for name, _ in told[:-1]} == {"progress"}
    first = told[0][1]
    assert first["items"] == {
        "all": 6, "waiting": 1, "summarizing": 1, "extracting": 1, "done": 1, "failed": 1, "left_out": 1,
    }  # fmt: skip
    assert [one["state"] for one in first["stages"]] == ["done", "running", "waiting", "waiting"]
    assert first["rate"] > 0


async def test_two_gateways_tell_the_same(world: World) -> None:
    """What a process remembers only changes the rate."""
    _, job_id = await running(world, *FINAL)
    job = await world.stored(job_id)
    one, other = await Watch().look(world.store, job), await Watch().look(world.store, job)
    assert one is not None
    assert other is not None
    assert {**one, "rate": 0, "seconds_left": 0} == {**other, "rate": 0, "seconds_left": 0}


async def test_however_many_watch_a_job_the_store_is_asked_once_a_pause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PAUSE", 3_600.0)
    _, job_id = await running(world, *FINAL)
    job, watch = await world.stored(job_id), Watch()
    looks = await asyncio.gather(*(watch.look(world.store, job) for _ in range(20)))
    await world.store.move_job(W, job_id, {JobState.RUNNING}, JobState.ERROR, error="x")
    assert all(look is looks[0] for look in [*looks, await watch.look(world.store, job)])


async def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "OPEN", 1)
    watch = Watch()
    async with watch.stream():
        with pytest.raises(HTTPException) as refused:
            watch.require_room()
        assert refused.value.status_code == 429
        assert refused.value.headers == {"Retry-After": "10"}
    watch.require_room()


async def test_a_process_that_stops_ends_its_streams(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and without an `end`: the client asks again, and another gateway goes on."""
    monkeypatch.setattr(progress, "PAUSE", 3_600.0)
    _, job_id = await running(world, *FINAL)
    watch = Watch()
    stream = progress._events(watch, world.store, await world.stored(job_id))
    assert [name for name, _ in events(await anext(stream))] == ["progress"]
    watch.stop()
    assert [text async for text in stream] == []


async def test_a_deleted_job_ends_its_stream(world: World) -> None:
    _, job_id = await running(world, *FINAL)
    job = await world.stored(job_id)
    stream = progress._events(Watch(), world.store, job)
    assert [name for name, _ in events(await anext(stream))] == ["progress"]
    await world.store.delete_job(W, job_id)
    rest = [one for text in [text async for text in stream] for one in events(text)]
    assert rest[-1] == ("end", {"status": "deleted"})


async def test_a_job_that_is_not_there_has_no_stream(world: World) -> None:
    at = await world.project()
    assert (await world.client.get(f"{at}/insights/{uuid4()}/events")).status_code == 404
