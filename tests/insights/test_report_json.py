"""The JSON file says what the store holds, appears whole or not at all, and needs no memory for the items."""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import pytest

from insights.report_json import LISTED, PAGE, write_report
from shared.bill import Bill
from shared.errors import UnavailableError, UsageError
from shared.job_config import JobConfig
from shared.models import (
    Cluster,
    Conduct,
    Facts,
    HighlightedTrace,
    Item,
    ItemState,
    Job,
    JobState,
    Project,
    Report,
    Run,
    Spending,
    Stage,
)
from shared.store import Store

CREATED = 1_760_000_000_123_456
CLUSTERS = (
    Cluster(id="c1", level=1, name="Refunds", description="d1", num_runs=2, stats={"b": 1, "a": float("nan")}),
    Cluster(id="c3", level=1, name="Delivery", description="d3", num_runs=3),
    Cluster(id="c2", parent_id="c1", level=0, name="Late", description="d2", parent_name="Refunds", num_runs=2),
    Cluster(id="c4", level=1, name="Refunds", description="d4", num_runs=2),
)
COVERAGE = {
    "requested": None,
    "matched": 9,
    "unfinished": 1,
    "sampled": 8,
    "summarized": 2,
    "failed_count": 1,
    "failed": [{"run_id": "r9", "reason": "too long"}],
    "left_out": {"filter": 5},
}
REPORT = Report(
    workspace_id="w",
    job_id="j",
    fence=3,
    clusters=CLUSTERS,
    stats={"run_count": 2, "latency_p50": float("inf")},
    title="2 traces",
    key_points=("a (#1)",),
    highlighted_traces=(HighlightedTrace(run_id="r2", rank=1, highlight_reason="slow", cluster_id="c2"),),
    coverage=COVERAGE,
    notes=("English only",),
    trust={"vectors": "minilm-fp32", "stability": None, "languages": {"ru": 1, "en": 8}},
)
PROJECT = Project(
    workspace_id="w",
    id="p",
    name="p",
    created_at=0,
    source={"bad_line_count": 2, "bad_lines": [{"line": 4, "reason": "not JSON"}, {"line": 7, "reason": "no id"}]},
)
KEYS = ["id", "name", "status", "created_at", "start_time", "end_time", "shape", "error"]
KEYS += ["clusters", "report", "runs", "coverage", "engine", "seed", "notes", "trust", "stats", "spending", "cost"]


class FakeStore:
    """Items, runs and one report in lists; remembers the pages it was asked for, and can break after some of them."""

    def __init__(self, items: list[Item], report: Report | None = REPORT, *, breaks_after: int | None = None) -> None:
        self._items = sorted(items, key=lambda one: one.id)
        self._report = report
        self._breaks_after = breaks_after
        self.pages: list[int] = []
        self.asked_runs: list[int] = []

    async def items(
        self,
        workspace_id: str,
        job_id: str,
        *,
        states: Collection[ItemState] | None = None,
        after: str | None = None,
        limit: int = 1_000,
        features: bool = False,
    ) -> list[Item]:
        if self._breaks_after is not None and len(self.pages) == self._breaks_after:
            raise UnavailableError("The store is away.")
        found = [one for one in self._items if (states is None or one.state in states) and one.id > (after or "")]
        self.pages.append(len(found[:limit]))
        return found[:limit]

    async def runs(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, Run]:
        self.asked_runs.append(len(run_ids))
        stored = {"r2": Run(workspace_id="w", id="r2", project_id="p", trace_id="t2", received_at=0)}
        return {run_id: stored[run_id] for run_id in run_ids if run_id in stored}

    async def report(self, workspace_id: str, job_id: str, fence: int) -> Report | None:
        return self._report if self._report and fence == self._report.fence else None

    async def count_items(self, workspace_id: str, job_id: str) -> dict[ItemState, int]:
        return {state: sum(one.state == state for one in self._items) for state in ItemState}


def job(**changes: Any) -> Job:
    fields: dict[str, Any] = {
        "workspace_id": "w",
        "id": "j",
        "project_id": "p",
        "name": "traces",
        "created_at": CREATED,
        "config": JobConfig(),
        "received_before": 0,
        "state": JobState.SUCCESS,
        "fence": 3,
        "matched": 9,
        "sampled": 8,
    }
    return Job(**(fields | changes))


def item(item_id: str, run_ids: tuple[str, ...] = ("r1",), **changes: Any) -> Item:
    fields = {"workspace_id": "w", "job_id": "j", "id": item_id, "run_ids": run_ids, "state": ItemState.DONE}
    return Item(**(fields | changes))


ODD: dict[str, Any] = {"confidence": 0.25, "unusual": True, "effort": 0.5}
ASKED = Facts(conduct=Conduct(user_turns=3, refusal=True))
PLACE: dict[str, Any] = {"path": ("c2", "c1"), "leaf": "c2"}
ITEMS = [
    item("i2", ("r1", "r2"), thread_id="th", summary="A \ud800 b", source_id="s", facts=ASKED, **PLACE, **ODD),
    item("i1", ("r7",), summary="x", attributes={"z": 1, "a": float("nan")}, path=("c4",), leaf="c4"),
    item("i3", ("r9",), state=ItemState.FAILED, reason="too long"),
]


async def written(path: Path, store: FakeStore, of: Job, project: Project = PROJECT) -> dict[str, Any]:
    await write_report(path, cast(Store, store), of, project=project)
    return read(path)


def read(path: Path) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(path.read_text("ascii"), parse_constant=_refuse))


def names(folder: Path) -> list[str]:
    return os.listdir(folder)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


async def test_the_whole_report_comes_back_equal(tmp_path: Path) -> None:
    """Every key, in its order and place; NaN is null, a lone surrogate survives, failed items are no runs."""
    found = await written(tmp_path / "r.json", FakeStore(ITEMS), job(window_start=CREATED, window_end=CREATED + 1))
    assert list(found) == KEYS
    assert found.pop("clusters")[2] == {
        "id": "c4",
        "parent_id": None,
        "level": 1,
        "name": "Refunds",
        "description": "d4",
        "parent_name": None,
        "num_runs": 2,
        "stats": {},
    }
    assert found == {
        "id": "j",
        "name": "traces",
        "status": "success",
        "created_at": "2025-10-09T08:53:20.123456+00:00",
        "start_time": "2025-10-09T08:53:20.123456+00:00",
        "end_time": "2025-10-09T08:53:20.123457+00:00",
        "shape": {"Refunds": 4, "Delivery": 3},
        "error": None,
        "report": {
            "title": "2 traces",
            "key_points": ["a (#1)"],
            "highlighted_traces": [
                {
                    "run_id": "r2",
                    "rank": 1,
                    "highlight_reason": "slow",
                    "cluster_id": "c2",
                    "cluster_name": None,
                    "summary": None,
                }
            ],
        },
        "runs": [
            {
                "run_id": "r7",
                "source_id": None,
                "trace_id": "r7",
                "thread_id": None,
                "cluster_id": "c4",
                "cluster_ids": ["c4"],
                "cluster_name": "Refunds",
                "summary": "x",
                "attributes": {"a": None, "z": 1},
                "unknown": {},
                "quotes": [],
                "quotes_dropped": 0,
                "unread": 0.0,
                "confidence": None,
                "unusual": False,
                "effort": None,
                "facts": None,
            },
            {
                "run_id": "r2",
                "source_id": "s",
                "trace_id": "t2",
                "thread_id": "th",
                "cluster_id": "c2",
                "cluster_ids": ["c2", "c1"],
                "cluster_name": "Late",
                "summary": "A \ud800 b",
                "attributes": {},
                "unknown": {},
                "quotes": [],
                "quotes_dropped": 0,
                "unread": 0.0,
                "confidence": 0.25,
                "unusual": True,
                "effort": 0.5,
                "facts": Conduct(user_turns=3, refusal=True).model_dump(),
            },
        ],
        "coverage": COVERAGE | PROJECT.source,
        "engine": "local",
        "seed": 0,
        "notes": ["English only"],
        "trust": {"languages": {"en": 8, "ru": 1}, "stability": None, "vectors": "minilm-fp32"},
        "stats": {"latency_p50": None, "run_count": 2},
        "spending": [],
        "cost": 0.0,
    }


async def test_what_models_took_is_there_by_stage_and_an_unknown_price_is_null(tmp_path: Path) -> None:
    paid = Spending(
        stage=Stage.SUMMARIES, model="house", calls=3, kept=1, input=9, cached=2, output=4, estimated=True, cut=2
    )
    bill = Bill.of([paid], lambda one: None)
    await write_report(tmp_path / "r.json", cast(Store, FakeStore(ITEMS)), job(), project=PROJECT, bill=bill)
    found = read(tmp_path / "r.json")
    assert found["cost"] is None
    assert found["spending"] == [
        {
            "stage": "summaries",
            "model": "house",
            "calls": 3,
            "kept": 1,
            "input": 9,
            "output": 4,
            "cost": None,
            "cached": 2,
            "estimated": True,
            "cut": 2,
        }
    ]


async def test_clusters_are_in_a_fixed_order_whatever_the_order_in_the_store(tmp_path: Path) -> None:
    turned = REPORT.model_copy(update={"clusters": CLUSTERS[::-1]})
    await written(tmp_path / "a.json", FakeStore(ITEMS), job())
    await written(tmp_path / "b.json", FakeStore(ITEMS[::-1], turned), job())
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


async def test_a_job_in_error_has_empty_lists_and_the_coverage_that_is_known(tmp_path: Path) -> None:
    items = [*ITEMS, item("i4", state=ItemState.LEFT_OUT, reason="no budget"), item("i5", state=ItemState.LEFT_OUT)]
    found = await written(tmp_path / "r.json", FakeStore(items), job(state=JobState.ERROR, error="No traces."))
    assert (found["status"], found["error"]) == ("error", "No traces.")
    assert found["clusters"] == []
    assert found["shape"] == found["stats"] == found["trust"] == {}
    assert found["report"] == {"title": None, "key_points": [], "highlighted_traces": []}
    assert found["coverage"] == COVERAGE | PROJECT.source | {
        "unfinished": None,
        "left_out": {"no budget": 1, "unknown": 1},
    }
    assert [(one["run_id"], one["cluster_id"], one["cluster_ids"]) for one in found["runs"]] == [
        ("r7", None, []),
        ("r2", None, []),
    ]


@pytest.mark.parametrize(
    ("state", "status"),
    [("queued", "queued"), ("running", "running"), ("ready", "running"), ("categorized", "running")],
)
async def test_statuses_are_those_that_clients_of_langsmith_know(tmp_path: Path, state: str, status: str) -> None:
    found = await written(tmp_path / "r.json", FakeStore([]), job(state=JobState(state)))
    assert (found["status"], found["clusters"], found["runs"]) == (status, [], [])


async def test_a_project_that_is_of_no_file_has_no_count_of_lines(tmp_path: Path) -> None:
    found = await written(tmp_path / "r.json", FakeStore([]), job(), PROJECT.model_copy(update={"source": {}}))
    assert found["coverage"]["bad_line_count"] is None
    assert found["coverage"]["bad_lines"] == []


async def test_lists_of_failures_are_bounded(tmp_path: Path) -> None:
    many = [{"run_id": str(n), "reason": "r"} for n in range(3 * LISTED)]
    lines = {"bad_line_count": 300, "bad_lines": [{"line": n, "reason": "r"} for n in range(3 * LISTED)]}
    report = REPORT.model_copy(update={"coverage": COVERAGE | {"failed": many, "failed_count": len(many)}})
    project = PROJECT.model_copy(update={"source": lines})
    found = (await written(tmp_path / "r.json", FakeStore([], report), job(), project))["coverage"]
    assert (len(found["failed"]), found["failed_count"]) == (LISTED, 3 * LISTED)
    assert (len(found["bad_lines"]), found["bad_line_count"]) == (LISTED, 300)


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 3 * PAGE])
async def test_items_are_read_in_pages_and_each_is_written_once(tmp_path: Path, count: int) -> None:
    store = FakeStore([item(f"i{n:05}", (f"r{n:05}",)) for n in range(count)])
    found = await written(tmp_path / "r.json", store, job())
    assert [one["run_id"] for one in found["runs"]] == [f"r{n:05}" for n in range(count)]
    assert max(store.pages + store.asked_runs) <= PAGE


async def test_a_store_that_fails_midway_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    store = FakeStore([item(f"i{n:05}") for n in range(3 * PAGE)], breaks_after=2)
    with pytest.raises(UnavailableError):
        await write_report(path, cast(Store, store), job(), project=PROJECT)
    assert store.pages == [PAGE, PAGE]
    assert path.read_text() == "old"
    assert names(tmp_path) == ["r.json"]


async def test_a_new_file_takes_the_place_and_the_mode_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old and longer than nothing")
    path.chmod(0o640)
    assert (await written(path, FakeStore(ITEMS), job()))["id"] == "j"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["r.json"]


async def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    await written(tmp_path / "link", FakeStore(ITEMS), job())
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "real").read_text())["id"] == "j"


async def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        await write_report(pipe, cast(Store, FakeStore([])), job(), project=PROJECT)
        assert json.loads(os.read(reader, 60_000))["id"] == "j"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["absent/r.json", "."])
async def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be written .* name a file in a folder"):
        await write_report(tmp_path / place, cast(Store, FakeStore([])), job(), project=PROJECT)


async def test_without_a_path_it_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    await write_report(None, cast(Store, FakeStore(ITEMS)), job(), project=PROJECT)
    assert list(json.loads(capsys.readouterr().out)) == KEYS


async def test_an_integer_that_no_reader_can_hold_does_not_stop_the_report(tmp_path: Path) -> None:
    found = await written(tmp_path / "r.json", FakeStore([item("i", attributes={"n": 10**5_000, "m": 2**70})]), job())
    assert found["runs"][0]["attributes"] == {"m": 2**70, "n": None}
