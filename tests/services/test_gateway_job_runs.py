"""The runs of a report: full pages in a fixed order, of any cluster, by any attribute, at the same cost anywhere."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.bodies import pack
from shared.job_config import AttributeSchema, JobConfig
from shared.models import JobState, Run, StoredRun
from tests.services.gateway_world import W, World, opened

ROW = {
    "id", "run_id", "trace_id", "thread_id", "name", "run_type", "start_time", "inputs", "outputs", "metadata",
    "cluster_id", "cluster_ids", "cluster_name", "summary", "attributes",
}  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as found:
        yield found


async def pages(world: World, report: str, **query: Any) -> list[dict[str, Any]]:
    """As LangSmith's Python client reads them: from offset to offset until it is null."""
    found, offset = [], 0
    while offset is not None:
        page = (await world.client.get(f"{report}/runs", params={"limit": 100, **query, "offset": offset})).json()
        assert set(page) == {"runs", "offset"}
        found.append(page)
        offset = page["offset"]
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [row["run_id"] for page in found for row in page["runs"]]


async def test_pages_are_full_until_the_last_and_hold_each_run_once(world: World) -> None:
    report = await world.report(await world.project(), [[120, 30], [80]])
    found = await pages(world, report)
    assert [(len(page["runs"]), page["offset"]) for page in found] == [(100, 100), (100, 200), (30, None)]
    assert len(set(ids(found))) == 230
    assert ids(await pages(world, report, limit=7)) == ids(found)
    assert all(row.keys() >= ROW for page in found for row in page["runs"])


async def test_a_cluster_of_either_level_has_its_own_runs(world: World) -> None:
    """Those of a category are those of its subcategories; `num_runs` of each is what is found."""
    report = await world.report(await world.project(), [[120, 30], [80]])
    clusters = (await world.client.get(report)).json()["clusters"]
    found = {one["id"]: ids(await pages(world, report, cluster_id=one["id"])) for one in clusters}
    for one in clusters:
        assert len(found[one["id"]]) == one["num_runs"]
        inside = [run for child in clusters if child["parent_id"] == one["id"] for run in found[child["id"]]]
        assert one["level"] == 0 or sorted(inside) == sorted(found[one["id"]])
    assert (await world.client.get(f"{report}/runs?cluster_id={uuid4()}")).status_code == 404


async def test_a_cluster_says_what_is_below_it(world: World) -> None:
    report = await world.report(await world.project(), [[3, 2], [4]])
    clusters = (await world.client.get(report)).json()["clusters"]
    top = next(one for one in clusters if one["name"] == "Category 0")
    found = (await world.client.get(f"{report}/clusters/{top['id']}")).json()
    shown = {key: top[key] for key in ("id", "parent_id", "level", "name", "description")}
    assert found == {**shown, "num_children": 2}
    assert (await world.client.get(f"{report}/clusters/{uuid4()}")).status_code == 404


async def test_runs_are_sorted_by_an_attribute_with_the_unknown_last(world: World) -> None:
    values: list[Any] = [3.5, None, 1, 10, None, 2]
    config = JobConfig(attribute_schemas={"cost": AttributeSchema(type="number")})
    attributes = [{"cost": value} for value in values]
    report = await world.report(await world.project(), [[4, 2]], attributes, config)

    async def sorted_by(order: str, **query: Any) -> list[Any]:
        given = {"attribute_sort_key": "cost", "attribute_sort_order": order, "limit": 2, **query}
        return [row["attributes"]["cost"] for page in await pages(world, report, **given) for row in page["runs"]]

    assert await sorted_by("asc") == [1, 2, 3.5, 10, None, None]
    assert await sorted_by("desc") == [10, 3.5, 2, 1, None, None]
    leaf = next(one for one in (await world.client.get(report)).json()["clusters"] if one["name"] == "Leaf 0")
    assert await sorted_by("desc", cluster_id=leaf["id"]) == [10, 3.5, 1, None]
    wrong = await world.client.get(f"{report}/runs?attribute_sort_key=price")
    assert (wrong.status_code, "It has: cost." in wrong.json()["detail"]) == (422, True)


async def test_a_page_beyond_the_end_is_empty_and_the_last(world: World) -> None:
    report = await world.report(await world.project(), [[3]])
    for offset in (3, 99, 2**31 - 1):
        assert (await world.client.get(f"{report}/runs?offset={offset}")).json() == {"runs": [], "offset": None}


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.CATEGORIZED, JobState.ERROR])
async def test_a_job_without_a_report_has_no_runs_yet(world: World, state: JobState) -> None:
    at = await world.project()
    job = await world.job(at)
    await world.store.move_job(W, job["id"], {JobState.QUEUED}, state, fence=1)
    assert (await world.client.get(f"{at}/insights/{job['id']}/runs")).json() == {"runs": [], "offset": None}


async def test_what_traces_hold_breaks_no_page(world: World) -> None:
    """Lone surrogates, NaN, integers of any size, deep nesting, and a body that is damaged."""
    at = await world.project()
    report = await world.report(at, [[3]])
    first, second, _ = ids(await pages(world, report))
    deep: Any = "bottom"
    for _ in range(490):
        deep = [deep]
    hard = {"half": "\ud83d", "nan": float("nan"), "big": 10**300, "huge": 10**400, "deep": deep, "\x00": None}
    project = at.rpartition("/")[2]
    runs = [
        Run(workspace_id=W, id=one, project_id=project, trace_id=one, received_at=1, metadata=hard)
        for one in (first, second)
    ]
    await world.store.save_runs(
        [StoredRun(runs[0], {"inputs": pack(hard)}), StoredRun(runs[1], {"inputs": b"damaged"})]
    )
    text = (await world.client.get(f"{report}/runs")).text
    rows = {row["id"]: row for row in json.loads(text, parse_constant=lambda name: pytest.fail(name))["runs"]}
    assert rows[first]["inputs"] == {**hard, "nan": None, "huge": None}
    assert rows[second]["inputs"] == {}
    assert len(rows) == 3
