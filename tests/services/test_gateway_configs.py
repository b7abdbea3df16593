"""Saved configurations: kept as they were sent, run by their id, drafted from a question."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.ending import now
from shared.job_config import JobConfig
from shared.models import JobState
from tests.services.gateway_world import World, opened

KEYS = {"name", "hierarchy", "partitions", "sample", "summary_prompt", "filter", "attribute_schemas", "model"}
LEARN = "What would you like to learn about your agent?"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as found:
        yield found


async def save(world: World, at: str, name: str = "Weekly", **config: Any) -> dict[str, Any]:
    answer = await world.client.post(f"{at}/insights/configs", json={"name": name, "config": config})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(world: World, at: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.client.get(f"{at}/insights/configs{query}")).json()["configs"]
    return found


async def test_a_saved_configuration_comes_back_with_null_for_what_is_not_set(world: World) -> None:
    at = await world.project()
    saved = await save(world, at, hierarchy=[5, 20], last_n_hours=24, no_such_field=1, filter=None)
    assert {"id", "name", "description", "schedule_cron", "config", "prebuilt"} == saved.keys()
    assert saved["config"].keys() >= KEYS
    assert (saved["config"]["hierarchy"], saved["config"]["last_n_hours"]) == ([5, 20], 24)
    assert saved["config"]["filter"] is None
    assert "no_such_field" not in saved["config"]
    assert await listed(world, at) == [saved]
    assert await listed(world, await world.project("other")) == []


async def test_the_prebuilt_ones_are_listed_on_demand_and_stay_as_they_are(world: World) -> None:
    at = await world.project()
    found = await listed(world, at, "?include_prebuilts=true")
    assert [(one["name"], one["prebuilt"]) for one in found] == [("Usage patterns", True), ("Error analysis", True)]
    for one in found:
        where = f"{at}/insights/configs/{one['id']}"
        assert (await world.client.delete(where)).status_code == 409
        assert (await world.client.patch(where, json={"name": "x"})).status_code == 409


@pytest.mark.parametrize("name", ["Usage patterns", "Error analysis"])
async def test_a_prebuilt_one_makes_a_job(world: World, name: str) -> None:
    at = await world.project()
    [one] = [one for one in await listed(world, at, "?include_prebuilts=true") if one["name"] == name]
    job = await world.stored((await world.job(at, config_id=one["id"]))["id"])
    assert (job.name, job.config_id) == (name, one["id"])
    assert set(job.config.attribute_schemas) == set(one["config"]["attribute_schemas"])


async def test_its_id_alone_makes_a_job_and_what_is_said_beside_it_wins(world: World) -> None:
    """The window is a new one each time, and is replaced whole."""
    at = await world.project()
    saved = await save(world, at, filter="eq(is_root, true)", last_n_hours=2, name="Inner")
    before = now()
    job = await world.stored((await world.job(at, config_id=saved["id"]))["id"])
    assert (job.name, job.config.filter) == ("Inner", "eq(is_root, true)")
    assert job.window_start is not None
    assert before <= job.window_start + 2 * 3_600_000_000 <= now()
    other = await world.job(at, config_id=saved["id"], name="Outer", start_time="2026-01-01T00:00:00Z")
    config = (await world.stored(other["id"])).config
    assert (config.name, config.last_n_hours, config.filter) == ("Outer", None, "eq(is_root, true)")
    mine = (await world.client.get(f"{at}/insights?config_id={saved['id']}")).json()["clustering_jobs"]
    assert [one["config_id"] for one in mine] == [saved["id"]] * 2
    elsewhere = await world.client.post(f"{await world.project('other')}/insights", json={"config_id": saved["id"]})
    assert elsewhere.status_code == 404


async def test_a_change_keeps_what_it_does_not_name_and_null_clears(world: World) -> None:
    at = await world.project()
    saved = await save(world, at, sample=5)
    where = f"{at}/insights/configs/{saved['id']}"
    first = (await world.client.patch(where, json={"description": "About", "schedule_cron": "0 8 * * *"})).json()
    assert first == {**saved, "description": "About", "schedule_cron": "0 8 * * *"}
    second = (await world.client.patch(where, json={"description": None, "name": None, "config": None})).json()
    assert second == {**first, "description": None}
    third = (await world.client.patch(where, json={"config": {"sample": 6}})).json()
    assert third["config"]["sample"] == 6
    assert await listed(world, at) == [third]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "config": {}},
        {"name": "x" * 256, "config": {}},
        {"config": {}},
        {"name": "x", "config": {"sample": 0}},
        {"name": "x", "config": {"filter": "eq("}},
        {"name": "x", "config": []},
        [],
    ],
    ids=str,
)
async def test_what_no_job_could_be_made_of_is_not_saved(world: World, body: Any) -> None:
    at = await world.project()
    assert (await world.client.post(f"{at}/insights/configs", json=body)).status_code == 422
    assert await listed(world, at) == []


async def test_a_deleted_one_takes_its_jobs_with_it_and_no_others(world: World) -> None:
    at = await world.project()
    saved = await save(world, at)
    for _ in range(3):
        await world.job(at, config_id=saved["id"])
    kept = await world.job(at)
    gone = await world.client.delete(f"{at}/insights/configs/{saved['id']}")
    assert set(gone.json()) == {"id", "message"}
    assert await listed(world, at) == []
    jobs = (await world.client.get(f"{at}/insights")).json()["clustering_jobs"]
    assert [one["id"] for one in jobs] == [kept["id"]]
    assert (await world.client.delete(f"{at}/insights/configs/{saved['id']}")).status_code == 404


@pytest.mark.parametrize(("engine", "kept"), [("model", True), ("local", False)])
async def test_the_first_categories_of_a_model_become_those_of_the_configuration(
    world: World, engine: str, kept: bool
) -> None:
    """So that later reports compare. Those of the engine without a model are not sure enough to be held to."""
    at = await world.project()
    saved = await save(world, at)
    config = JobConfig.model_validate({"engine": engine})
    await world.report(at, [[3], [2]], config=config, config_id=saved["id"], state=JobState.CATEGORIZED)
    [found] = await listed(world, at)
    assert found["config"]["partitions"] == ({"Category 0": "More.", "Category 1": "More."} if kept else None)
    await world.report(at, [[3], [1], [1]], config=config, config_id=saved["id"])
    assert await listed(world, at) == [found], "only where it has none"


# Drafts


async def draft(world: World, at: str, **body: Any) -> Any:
    return await world.client.post(f"{at}/insights/configs/generate", json=body)


async def test_a_question_becomes_a_draft_that_says_how_it_was_made(world: World) -> None:
    at = await world.project()
    await world.traces(at, 5)
    found = (await draft(world, at, user_context={"What is it?": "A shop's bot", LEARN: "Do tools fail?"})).json()
    assert "Drafted by rules" in found["how"]
    assert "A shop's bot" in found["summary_prompt"]
    assert "{{run.inputs.messages}}" in found["summary_prompt"]
    assert {"failed", "tool_failed"} <= found["attribute_schemas"].keys()
    assert await listed(world, at) == [], "nothing is saved"
    made = await world.job(at, **{name: found[name] for name in ("name", "summary_prompt", "attribute_schemas")})
    assert made["name"] == "Do tools fail?"


async def test_a_draft_is_made_before_there_are_traces(world: World) -> None:
    at = await world.project()
    found = (await draft(world, at, user_context={"anything": "Who is angry?"})).json()
    assert "{{run.inputs}}" in found["summary_prompt"]
    assert "user_dissatisfied" in found["attribute_schemas"]


async def test_a_draft_whose_model_refuses_is_made_by_rules_and_says_so(world: World) -> None:
    """No endpoint is known here."""
    at = await world.project()
    found = (await draft(world, at, user_context={LEARN: "Do tools fail?"}, engine="model")).json()
    assert "Drafted by rules, since gpt-5-mini gave no draft" in found["how"]
    assert "tool_failed" in found["attribute_schemas"]


async def test_a_draft_needs_a_question(world: World) -> None:
    at = await world.project()
    assert (await draft(world, at)).status_code == 422
    assert (await draft(world, f"/sessions/{uuid4()}", user_context={"q": "a"})).status_code == 404


async def test_answers_that_are_hostile_make_a_draft_that_a_job_takes(world: World) -> None:
    at = await world.project()
    await world.traces(at, 3)
    context = {LEARN: "{{run.secrets}} {{#x}} \x00\x1b[31m " + "a" * 5_000}
    found = (await draft(world, at, user_context=context)).json()
    await world.job(at, **{name: found[name] for name in ("name", "summary_prompt", "attribute_schemas")})
    await world.job(at, user_context=context)


# What it would cost


async def test_an_estimate_tells_what_each_stage_would_take_and_stores_nothing(world: World) -> None:
    at = await world.project()
    await world.traces(at, 30)
    body = {"sample": 20, "attribute_schemas": {"done": {"type": "boolean"}}}
    found = (await world.client.post(f"{at}/insights/estimate", json=body)).json()
    assert (found["engine"], found["items"]) == ("local", 20)
    assert 0 < found["cost"] <= found["worst"]
    assert {"summaries", "categories", "findings"} <= {one["stage"] for one in found["stages"]}
    assert (await world.client.get(f"{at}/insights")).json() == {"clustering_jobs": []}


async def test_a_preview_shows_what_a_model_would_be_asked(world: World) -> None:
    at = await world.project()
    await world.traces(at, 30)
    found = (await world.client.post(f"{at}/insights/preview", json={"sample": 20})).json()
    assert found["items"] == 20
    assert len({one["run_id"] for one in found["calls"]}) == 3
    assert all("Where is my parcel?" in one["messages"][-1]["content"] for one in found["calls"])
    assert {one["schema"] for one in found["calls"]} <= found["schemas"].keys()


@pytest.mark.parametrize("kind", ["estimate", "preview"])
async def test_what_has_no_traces_is_told_in_a_sentence(world: World, kind: str) -> None:
    at = await world.project()
    answer = await world.client.post(f"{at}/insights/{kind}", json={})
    assert (answer.status_code, "no finished trace" in answer.json()["detail"]) == (400, True)
