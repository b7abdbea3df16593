"""Jobs over HTTP: what a request becomes, how jobs are listed, changed and ended, and what each says of itself."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.attribute_extractor.handlers import extract_attributes
from services.summarizer.handlers import summarize_item
from shared.events import ItemEnded, ItemSampled, ItemSummarized, JobReported
from shared.job_config import JobConfig
from shared.models import Item, ItemState, JobState
from tests.services.gateway_world import W, World, opened

LEARN = "What would you like to learn about your agent?"
STRUCTURE = "How are your agent traces structured?"
FORBIDDEN = {"project_id", "tenant_id", "host_url"}
NOTHING: Any = None  # of what a handler gets and must not touch


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as found:
        yield found


# What a request becomes


async def config_of(world: World, **body: Any) -> JobConfig:
    at = await world.project()
    return (await world.stored((await world.job(at, **body))["id"])).config


async def test_langsmiths_fields_become_ours(world: World) -> None:
    config = await config_of(
        world,
        name="Week",
        model="openai",
        cluster_model="openai",
        summary_model=str(uuid4()),
        sample=50.0,
        filter="eq(is_root, true)",
        hierarchy=[5, 20],
        start_time="2026-01-02T03:04:05",
        is_scheduled=True,
        partitions={"Refunds": "Money back.", "Other": ""},
        attribute_schemas={
            "mood": {"type": "categorical", "categories": ["good", "bad"], "description": None},
            "cost": {"type": "float"},
            "done": {"type": "bool", "filter_by": True},
            "plain": "string",
        },
    )
    assert (config.name, config.sample, config.hierarchy) == ("Week", 50, (20, 5))
    assert config.summary_model == config.cluster_model == JobConfig().cluster_model
    assert config.start_time is not None
    assert config.start_time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert {name: one.type for name, one in config.attribute_schemas.items()} == {
        "mood": "string", "cost": "number", "done": "boolean", "plain": "string",
    }  # fmt: skip
    assert config.attribute_schemas["mood"].enum == ("good", "bad")
    assert config.attribute_schemas["done"].filter_by


async def test_a_job_without_a_sample_has_as_many_as_one_may(tmp_path: Path) -> None:
    async with opened(tmp_path, max_sample=7) as world:
        at = await world.project()
        assert (await world.stored((await world.job(at, sample="all"))["id"])).requested == 7
        refused = await world.client.post(f"{at}/insights", json={"sample": 8})
        assert (refused.status_code, "INSIGHTS_MAX_SAMPLE" in refused.json()["detail"]) == (422, True)
        guided = await world.job(at, user_context={LEARN: "where users give up"})
        assert (await world.stored(guided["id"])).requested == 7


@pytest.mark.parametrize(
    "body",
    [
        {"sample": 0.5},
        {"sample": True},
        {"sample": 10**400},
        {"name": "half \ud83d"},
        {"hierarchy": [[]]},
        {"attribute_schemas": {"two words": {"type": "string"}}},
        {"attribute_schemas": {"x": {"type": "vector"}}},
        {"attribute_schemas": {"x": 3}},
        {"attribute_schemas": 3},
        {"partitions": {str(at): "" for at in range(11)}},
        {"user_context": {"q": 1}},
        {"user_context": {"q": "x" * 10_001}},
        {"user_context": ["q"]},
        {"last_n_hours": 1, "start_time": "2026-01-01"},
        {"last_n_hours": float("nan")},
        {"start_time": "yesterday"},
        {"engine": "magic"},
        {"engine": "model"},
        {"config_id": "2c1f2c52-3c39-4f0e-9d3a-5b8f3a0c7d11"},
        {"config_id": {"a": []}},
    ],
    ids=lambda body: str(body)[:40],
)
async def test_what_cannot_be_done_is_refused_before_there_is_a_job(world: World, body: Any) -> None:
    at = await world.project()
    answer = await world.client.post(f"{at}/insights", content=json.dumps(body))
    assert answer.status_code in (404, 422)
    assert len(answer.json()["detail"]) > 10
    assert (await world.client.get(f"{at}/insights")).json() == {"clustering_jobs": []}
    assert not world.bus.events


async def test_a_job_says_which_engine_makes_it_and_why(world: World) -> None:
    """Nobody pays by surprise: a provider that is named without a stored key gives a report without a model."""
    at = await world.project()
    named = await world.job(at, model="openai")
    told = (await world.client.get(f"{at}/insights/{named['id']}")).json()["metadata"]
    assert told["engine"] == "local"
    assert "openai was named, but the workspace has stored no key for it" in told["decisions"][0]


async def test_what_the_sdk_sends_becomes_a_job(world: World) -> None:
    """Only a question: all else follows from it and from the traces."""
    at = await world.project()
    await world.traces(at, 5)
    body = {
        "name": None,
        "last_n_hours": 1,
        "model": "openai",
        "user_context": {STRUCTURE: "The messages are in run.outputs.messages.", LEARN: "Where do users give up?"},
    }
    job = await world.stored((await world.job(at, **body))["id"])
    assert (job.name, list(job.config.attribute_schemas)) == ("Where do users give up?", ["user_gave_up"])
    assert job.config.summary_prompt is None, "no engine without a model follows instructions"
    assert any("Drafted by rules" in one for one in job.decisions)


@pytest.mark.parametrize(("several", "unit"), [(True, "thread"), (False, "trace")])
async def test_conversations_of_several_traces_are_the_unit(world: World, several: bool, unit: str) -> None:
    at = await world.project()
    await world.traces(at, 6, thread_id=lambda number: f"t{number // 2 if several else number}")
    assert (await world.stored((await world.job(at))["id"])).config.unit == unit
    assert (await world.stored((await world.job(at, unit="trace"))["id"])).config.unit == "trace"


# Lists and changes


async def test_jobs_are_listed_in_pages_with_their_shape(world: World) -> None:
    at = await world.project()
    report = await world.report(at, [[3, 2], [4]])
    names = [(await world.job(at, name="same"))["id"] for _ in range(3)]
    whole = (await world.client.get(f"{at}/insights")).json()["clustering_jobs"]
    assert [one["id"] for one in whole] == [*names[::-1], report.rpartition("/")[2]]
    assert [one["shape"] for one in whole] == [{}, {}, {}, {"Category 0": 5, "Category 1": 4}]
    page = (await world.client.get(f"{at}/insights?limit=2&offset=1")).json()["clustering_jobs"]
    assert page == whole[1:3]
    assert (await world.client.get(f"{at}/insights?offset=4&limit=2")).json() == {"clustering_jobs": []}
    assert all(not FORBIDDEN & one.keys() for one in whole)
    for wrong in ("limit=0", "limit=101", "offset=-1", f"offset={10**30}", "config_id=x"):
        assert (await world.client.get(f"{at}/insights?{wrong}")).status_code == 422


async def test_no_body_of_a_job_has_a_key_that_langsmiths_client_passes_itself(world: World) -> None:
    at = await world.project()
    job = await world.job(at)
    detail = (await world.client.get(f"{at}/insights/{job['id']}")).json()
    report = (await world.client.get(await world.report(at, [[3]]))).json()
    assert not FORBIDDEN & (job.keys() | detail.keys() | report.keys())
    assert {"id", "name", "status", "error", "clusters", "report"} <= detail.keys()
    assert detail["clusters"] == []


async def test_a_job_is_renamed_and_deleted(world: World) -> None:
    at = await world.project()
    report = await world.report(at, [[3]])
    renamed = await world.client.patch(report, json={"name": "Monday"})
    assert renamed.json() == {"name": "Monday", "status": "success"}
    assert (await world.client.get(report)).json()["name"] == "Monday"
    assert (await world.client.patch(report, json={"name": ""})).status_code == 422
    gone = (await world.client.delete(report)).json()
    assert set(gone) == {"id", "message"}
    assert [(await world.client.get(report + tail)).status_code for tail in ("", "/runs")] == [404, 404]


# The end by a person


async def test_a_cancelled_job_ends_at_once_and_what_waits_is_left_out(world: World) -> None:
    at = await world.project()
    job = await world.job(at)
    await world.store.move_job(W, job["id"], {JobState.QUEUED}, JobState.RUNNING)
    await world.store.insert_items([Item(workspace_id=W, job_id=job["id"], id=x, run_ids=(x,)) for x in "abc"])
    await world.store.release_items(W, job["id"], 1)
    world.bus.events.clear()

    ended = (await world.client.post(f"{at}/insights/{job['id']}/cancel")).json()
    assert (ended["status"], ended["error"]) == ("error", "cancelled")
    counts = await world.store.count_items(W, job["id"])
    assert counts == {ItemState.RELEASED: 1, ItemState.LEFT_OUT: 2}
    assert [(type(event), event.job_id) for event in world.bus.events] == [(JobReported, job["id"])]


@pytest.mark.parametrize("state", [ItemState.RELEASED, ItemState.SUMMARIZED])
async def test_what_is_in_work_of_a_cancelled_job_is_left_out_by_whoever_takes_it_next(
    world: World, state: ItemState
) -> None:
    """Without a summary, and without a look at its attributes."""
    at = await world.project()
    job_id = (await world.job(at))["id"]
    await world.store.insert_items([Item(workspace_id=W, job_id=job_id, id="a", run_ids=("a",), state=state)])
    await world.client.post(f"{at}/insights/{job_id}/cancel")
    world.bus.events.clear()
    ids = {"workspace_id": W, "job_id": job_id, "item_id": "a"}
    rest = (NOTHING, NOTHING, NOTHING)
    if state is ItemState.RELEASED:
        await summarize_item(ItemSampled(**ids), world.store, world.bus.publish, *rest)
    else:
        await extract_attributes(ItemSummarized(**ids), world.store, world.bus.publish, *rest)
    item = await world.store.item(W, job_id, "a")
    assert item is not None
    assert (item.state, item.reason) == (ItemState.LEFT_OUT, "cancelled")
    assert [type(event) for event in world.bus.events] == [ItemEnded]


async def test_a_job_is_cancelled_while_the_bus_is_away(world: World) -> None:
    at = await world.project()
    job = await world.job(at)
    world.bus.away = True
    assert (await world.client.post(f"{at}/insights/{job['id']}/cancel")).json()["status"] == "error"


async def test_a_job_that_has_ended_stays_as_it_is(world: World) -> None:
    report = await world.report(await world.project(), [[3]])
    assert (await world.client.post(f"{report}/cancel")).json()["status"] == "success"


# LangSmith's link


async def test_langsmiths_link_leads_to_the_report(world: World) -> None:
    at = await world.project()
    report = await world.report(at, [[3]])
    project, job = at.rpartition("/")[2], report.rpartition("/")[2]
    link = f"/o/{W}/projects/p/{project}?tab=3&clusterJobId={job}"
    sent_on = await world.client.get(link)
    assert sent_on.headers["location"] == f"/projects/{project}/insights/{job}"
    assert (await world.client.get(link, follow_redirects=True)).json()["id"] == job
    assert (await world.client.get(f"/o/{W}/projects/p/{project}")).status_code == 404
