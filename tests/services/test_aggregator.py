"""report_job: the figures are those of the items, and the job's success comes once they are stored."""

from math import fsum
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pytest

from services.aggregator.handlers import report_job
from shared.errors import InvalidEventError
from shared.events import JobCategorized, JobReported
from shared.models import Assignment, Cluster, Conduct, Facts, Item, ItemState, Job, JobState, Report
from shared.store.sqlite import SqliteStore
from tests.services.asking import no_asker
from tests.services.conftest import J, Published, W, item, job, opened

FENCE = 2
EVENT = JobCategorized(workspace_id=W, job_id=J, fence=FENCE)
SUCCESS = JobReported(workspace_id=W, job_id=J, status="success")
SCHEMAS = {
    "attribute_schemas": {
        "topic": {"type": "string"},
        "happy": {"type": "boolean"},
        "refund": {"type": "number"},
        "kind": {"type": "string", "enum": ["a", "b"]},
    }
}
LEAVES = ("leaf 0", "leaf 1", "leaf 2")
TOP_OF = {"leaf 0": "top 0", "leaf 1": "top 0", "leaf 2": "top 1"}


def cluster(cluster_id: str, parent: str | None, size: int) -> Cluster:
    level = 1 if parent is None else 0
    return Cluster(id=cluster_id, parent_id=parent, level=level, name=cluster_id, description="d", num_runs=size)


def facts(n: int) -> Facts:
    """Of every item something different is unknown."""
    return Facts(
        error=None if n % 5 == 0 else n % 3 == 0,
        latency=None if n % 4 == 0 else n / 7,
        total_tokens=None if n % 6 == 0 else 10 * n,
        total_cost=None if n % 7 == 0 else 0.1 * n,
        feedback={"liked": n % 2} if n % 2 else {},
        conduct=None
        if n % 8 == 0
        else Conduct(user_turns=n % 4, tool_errors=None if n % 5 == 3 else n % 3, refusal=n % 2 == 0),
    )


def attributes(n: int) -> dict[str, Any]:
    return {
        "topic": None,
        "happy": None if n % 4 == 1 else n % 2 == 0,
        "refund": None if n % 4 == 2 else n / 3,
        "kind": None if n % 5 == 4 else "ab"[n % 2],
    }


DONE = [
    item(f"{n:02}", ItemState.DONE, facts=facts(n), attributes=attributes(n), summary=f"said {n}", source_id=f"s{n}")
    for n in range(30)
]
FAILED = [
    item(f"failed {n:03}", ItemState.FAILED, reason=f"because {n}", run_ids=("x", f"run {n}")) for n in range(120)
]
LEFT = [item(f"left {n}", ItemState.LEFT_OUT, reason="not angry" if n else None) for n in range(3)]


def leaf_of(one: Item) -> str:
    return LEAVES[int(one.id) % 3]


def confidence(one: Item) -> float:
    """Twelve items are unusual, and two of them alike in that."""
    return int(one.id) % 10 / 25 if int(one.id) % 7 else 0.01


def effort(one: Item) -> float | None:
    return None if int(one.id) % 6 == 1 else int(one.id) / 40


async def categorized(store: SqliteStore) -> None:
    """A job whose items lie in three leaves below two categories; what an older fence said does not count."""
    counts: dict[str, Any] = {"requested": 200, "matched": 400, "unfinished": 6, "sampled": 153}
    await store.insert_job(job(JobState.CATEGORIZED, SCHEMAS, fence=FENCE, **counts))
    await store.insert_items([*DONE, *FAILED, *LEFT])
    await store.assign_items(
        W,
        J,
        FENCE,
        [
            Assignment(
                one.id, (leaf_of(one), TOP_OF[leaf_of(one)]), confidence(one), confidence(one) < 0.1, effort(one)
            )
            for one in DONE
        ],
    )
    tops = (cluster("top 0", None, 20), cluster("top 1", None, 10))
    clusters = (*tops, *(cluster(leaf, TOP_OF[leaf], 10) for leaf in LEAVES))
    for fence, found in ((FENCE, clusters), (FENCE - 1, clusters[:1])):
        await store.save_report(Report(workspace_id=W, job_id=J, fence=fence, clusters=found))


async def stored(store: SqliteStore) -> Job:
    found = await store.job(W, J)
    assert found is not None
    return found


async def reported(store: SqliteStore) -> Report:
    found = await store.report(W, J, FENCE)
    assert found is not None
    return found


def check(stats: dict[str, Any], items: list[Item]) -> None:
    """The figures of these items, made again without the code under test."""
    errors = [one.facts.error for one in items if one.facts.error is not None]
    latencies = [one.facts.latency for one in items if one.facts.latency is not None]
    tokens = [one.facts.total_tokens for one in items if one.facts.total_tokens is not None]
    costs = [one.facts.total_cost for one in items if one.facts.total_cost is not None]
    liked = [one.facts.feedback["liked"] for one in items if one.facts.feedback]
    assert stats["run_count"] == len(items)
    assert (stats["error_rate"], stats["error_n"]) == (sum(errors) / len(errors), len(errors))
    assert (stats["latency_p50"], stats["latency_n"]) == (pytest.approx(median(latencies)), len(latencies))
    assert (stats["total_tokens"], stats["median_tokens"]) == (sum(tokens), median(tokens))
    assert (stats["total_cost"], stats["cost_n"]) == (fsum(costs), len(costs))
    assert (stats["feedback_stats"]["liked"]["n"], stats["feedback_stats"]["liked"]["avg"]) == (len(liked), 1)


async def test_the_figures_of_the_sample_and_of_every_category_are_those_of_its_items(
    store: SqliteStore, publish: Published
) -> None:
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    report = await reported(store)
    check(report.stats, DONE)
    assert len(report.clusters) == 5
    for one in report.clusters:
        inside = [each for each in DONE if one.id in (leaf_of(each), TOP_OF[leaf_of(each)])]
        check(one.stats, inside)
        assert one.stats["share"] == len(inside) / len(DONE)
        assert one.stats["run_count"] == one.num_runs


async def test_attributes_and_facts_of_a_category_are_those_of_its_items_beside_those_of_all_others(
    store: SqliteStore, publish: Published
) -> None:
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    report = await reported(store)
    for one in report.clusters:
        inside = [each for each in DONE if one.id in (leaf_of(each), TOP_OF[leaf_of(each)])]
        outside = [each for each in DONE if each not in inside]
        for stats, items in ((one.stats, inside), (rest_of(one.stats), outside), (report.stats, DONE)):
            check_aspects(stats, items)


def rest_of(stats: dict[str, Any]) -> dict[str, Any]:
    return {of: {name: found["rest"] for name, found in stats[of].items()} for of in ("attributes", "facts")}


def check_aspects(stats: dict[str, Any], items: list[Item]) -> None:
    """Made again without the code under test."""
    for found, values in (
        (stats["attributes"]["happy"], [one.attributes["happy"] for one in items]),
        (stats["facts"]["refusal"], [one.facts.conduct.refusal if one.facts.conduct else None for one in items]),
    ):
        flags = [value for value in values if value is not None]
        assert (found["n"], found["unknown"]) == (len(flags), len(items) - len(flags))
        assert found["share"] == pytest.approx(sum(flags) / len(flags))
    for found, numbers in (
        (stats["attributes"]["refund"], [one.attributes["refund"] for one in items]),
        (
            stats["facts"]["tool_errors"],
            [one.facts.conduct.tool_errors if one.facts.conduct else None for one in items],
        ),
        (stats["facts"]["effort"], [effort(one) for one in items]),
    ):
        known = [value for value in numbers if value is not None]
        assert (found["n"], found["unknown"]) == (len(known), len(items) - len(known))
        low, middle, high = quantiles(known, n=4, method="inclusive")
        assert [found["p25"], found["p50"], found["p75"]] == pytest.approx([low, middle, high])
    kinds = [one.attributes["kind"] for one in items if one.attributes["kind"]]
    assert stats["attributes"]["kind"]["values"] == {"a": kinds.count("a"), "b": kinds.count("b")}
    assert stats["attributes"]["topic"]["unknown"] == len(items)


async def test_the_surest_trace_of_its_largest_leaf_is_typical_of_a_category_and_the_least_sure_are_shown_as_unusual(
    store: SqliteStore, publish: Published
) -> None:
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    report = await reported(store)
    for one in report.clusters:
        if one.level == 0:
            inside = [each for each in DONE if leaf_of(each) == one.id]
            typical = min(inside, key=lambda each: (-confidence(each), each.id))
            assert one.stats["typical"] == shown(typical)
    assert report.clusters[1].stats["typical"] == report.clusters[4].stats["typical"], "top 1 has that leaf alone"
    unusual = sorted((one for one in DONE if confidence(one) < 0.1), key=lambda one: (confidence(one), one.id))
    assert report.stats["unusual"] == {"n": len(unusual), "traces": [shown(one) for one in unusual[:5]]}
    assert len(unusual) > 5


def shown(one: Item) -> dict[str, Any]:
    return {"run_id": one.id, "source_id": one.source_id, "summary": one.summary}


async def test_a_category_without_items_has_figures_that_say_so(store: SqliteStore, publish: Published) -> None:
    """A category that the user gave stays, though nothing fits it."""
    await categorized(store)
    draft = await reported(store)
    await store.save_report(draft.model_copy(update={"clusters": (*draft.clusters, cluster("empty", None, 0))}))
    await report_job(EVENT, store, publish, no_asker(store))
    stats = (await reported(store)).clusters[-1].stats
    assert (stats["run_count"], stats["share"], stats["error_rate"], stats["latency_p50"]) == (0, 0, None, None)
    assert (stats["differences"], stats["typical"]) == ([], None)
    assert stats["attributes"]["happy"]["share"] is None
    assert stats["attributes"]["happy"]["rest"]["n"] > 0


async def test_what_differs_clearly_is_told_of_the_category_where_it_does(
    store: SqliteStore, publish: Published
) -> None:
    """An item of leaf 2 has two tool errors, one of leaf 1 one, and one of leaf 0 none, where that is known."""
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    told = {one.id: [each["text"] for each in one.stats["differences"]] for one in (await reported(store)).clusters}
    assert told["leaf 2"] == told["top 1"] == ["tool errors 2 (rest 1)"]
    assert told["leaf 0"] == ["tool errors 0 (rest 2)"]
    assert told["leaf 1"] == []


async def test_the_report_says_what_became_of_every_item_that_was_asked_for(
    store: SqliteStore, publish: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures as a count and the first of them, each with the run that a reader can look up."""
    monkeypatch.setattr("services.aggregator.coverage.SHOWN", 100)
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    coverage = (await reported(store)).coverage
    failed = coverage.pop("failed")
    assert coverage == {
        "requested": 200,
        "matched": 400,
        "unfinished": 6,
        "sampled": 153,
        "summarized": 30,
        "failed_count": 120,
        "left_out": {"not angry": 2, "unknown": 1},
    }
    assert len(failed) == 100
    assert failed[0] == {"run_id": "run 0", "reason": "because 0"}


async def test_a_reported_job_is_a_success_with_a_title_and_findings_about_its_own_traces(
    store: SqliteStore, publish: Published
) -> None:
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    found, report = await stored(store), await reported(store)
    assert (found.state, found.fence) == (JobState.SUCCESS, FENCE)
    assert found.ended_at is not None
    assert report.title
    assert report.key_points
    assert {one.run_id for one in report.highlighted_traces} <= {one.id for one in DONE}
    assert any("topic" in note for note in report.notes)
    assert publish.events == [SUCCESS]


async def test_a_second_delivery_publishes_again_and_changes_nothing(store: SqliteStore, publish: Published) -> None:
    await categorized(store)
    await report_job(EVENT, store, publish, no_asker(store))
    before = await stored(store), await reported(store)
    await report_job(EVENT, store, publish, no_asker(store))
    assert (await stored(store), await reported(store)) == before
    assert publish.events == [SUCCESS, SUCCESS]


@pytest.mark.parametrize("fence", [FENCE - 1, FENCE + 1])
async def test_the_event_of_another_fence_does_nothing(store: SqliteStore, publish: Published, fence: int) -> None:
    await categorized(store)
    before = await stored(store), await reported(store), await store.report(W, J, FENCE - 1)
    await report_job(EVENT.model_copy(update={"fence": fence}), store, publish, no_asker(store))
    assert (await stored(store), await reported(store), await store.report(W, J, FENCE - 1)) == before
    assert publish.events == []


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.READY, JobState.ERROR])
async def test_a_job_in_another_state_is_not_reported(store: SqliteStore, publish: Published, state: JobState) -> None:
    await store.insert_job(job(state, fence=FENCE))
    await report_job(EVENT, store, publish, no_asker(store))
    assert (await stored(store)).state is state
    assert SUCCESS not in publish.events
    assert await store.report(W, J, FENCE) is None


class EndingStore(SqliteStore):
    """A store in which the job is ended by someone else while it is reported."""

    async def save_report(self, report: Report) -> None:
        await super().save_report(report)
        if report.stats:
            await self.move_job(W, J, {JobState.CATEGORIZED}, JobState.ERROR, error="Cancelled.")


async def test_a_job_that_was_ended_meanwhile_stays_as_it_ended(tmp_path: Path, publish: Published) -> None:
    store = await opened(tmp_path, EndingStore)
    try:
        await categorized(store)
        await report_job(EVENT, store, publish, no_asker(store))
        assert ((await stored(store)).state, (await stored(store)).error) == (JobState.ERROR, "Cancelled.")
        assert publish.events == [JobReported(workspace_id=W, job_id=J, status="error", error="Cancelled.")]
    finally:
        await store.close()


async def test_what_is_not_there_makes_the_event_invalid(store: SqliteStore, publish: Published) -> None:
    with pytest.raises(InvalidEventError, match="There is no job j: was it deleted"):
        await report_job(EVENT, store, publish, no_asker(store))
    await store.insert_job(job(JobState.CATEGORIZED, fence=FENCE))
    with pytest.raises(InvalidEventError, match="Job j has no categories under fence 2: run it again"):
        await report_job(EVENT, store, publish, no_asker(store))


async def test_spellings_of_an_open_value_are_counted_as_the_value_that_stands_for_them(
    store: SqliteStore, publish: Published
) -> None:
    """And the items keep what was answered."""
    said = ["Refunds", "refund", "refund", "late"]
    await store.insert_job(job(JobState.CATEGORIZED, SCHEMAS, fence=FENCE))
    await store.insert_items(
        [item(f"{n}", ItemState.DONE, attributes={"topic": topic}) for n, topic in enumerate(said)]
    )
    merged = {"spellings": 3, "values": 2, "merged": [{"value": "refund", "spellings": ["Refunds"]}]}
    await store.save_report(
        Report(workspace_id=W, job_id=J, fence=FENCE, clusters=(), trust={"values": {"topic": merged}})
    )
    await report_job(EVENT, store, publish, no_asker(store))
    found = await reported(store)
    assert found.stats["attributes"]["topic"]["values"] == {"refund": 3, "late": 1}
    assert any("3 spellings of topic became 2 values" in note for note in found.notes)
    first = await store.item(W, J, "0")
    assert first is not None
    assert first.attributes == {"topic": "Refunds"}
