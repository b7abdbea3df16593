"""A whole job, from traces in a file to the report, on both buses and both stores, through the very same Routers."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from insights.demo import generate
from shared.bus.local import LocalBus
from shared.config import Settings
from shared.ending import now
from shared.events import DeadLetter, ItemEnded, ItemSampled, JobRequested
from shared.job_config import JobConfig
from shared.jobs import new_job, submit_job
from shared.models import DEFAULT_WORKSPACE, JobState, StoredRun
from tests.flow.conftest import PATIENCE, Place, start

TRACES = list(generate(40, seed=3))


async def dead_letters(place: Place, settings: Settings, job_id: str | None, reason: str) -> list[DeadLetter]:
    """Dead letters of this job (None: of none) whose reason has these words; waits for the first."""
    bus = place.process.bus
    if isinstance(bus, LocalBus):
        await bus.join()
        letters = await bus.dead_letters()
        return [letter for letter in letters if letter.job_id == job_id and reason in letter.reason]
    consumer = AIOKafkaConsumer(
        DeadLetter.topic, bootstrap_servers=settings.bus.removeprefix("kafka://"), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE):
            async for record in consumer:
                letter = DeadLetter.model_validate_json(record.value)
                if letter.job_id == job_id and reason in letter.reason:
                    return [letter]
    finally:
        await consumer.stop()
    return []


async def publish_raw(place: Place, settings: Settings, topic: str, group: str, body: bytes) -> None:
    """Bytes that no program of ours would publish."""
    if isinstance(place.process.bus, LocalBus):
        with sqlite3.connect(place.folder / "bus.db") as connection:
            connection.execute("INSERT INTO events (queue, body) VALUES (?, ?)", (group, body))
        return
    producer = AIOKafkaProducer(bootstrap_servers=settings.bus.removeprefix("kafka://"))
    await producer.start()
    try:
        await producer.send_and_wait(topic, body)
    finally:
        await producer.stop()


async def test_every_finished_trace_lies_in_exactly_one_leaf_and_the_counts_add_up(place: Place) -> None:
    project = await place.project(TRACES)
    job = await place.run(project, str(uuid4()))
    assert job.state is JobState.SUCCESS, job.error
    report = await place.report(job, project)

    finished = {trace["id"] for trace in TRACES if trace["end_time"]}
    leaves = {one["id"]: one for one in report["clusters"] if one["level"] == 0}
    assert {row["run_id"] for row in report["runs"]} == finished
    assert all(row["cluster_id"] in leaves for row in report["runs"])
    for leaf in leaves.values():
        mine = [row for row in report["runs"] if row["cluster_id"] == leaf["id"]]
        assert leaf["num_runs"] == leaf["stats"]["run_count"] == len(mine)
        assert all(row["cluster_ids"] == [leaf["id"], leaf["parent_id"]] for row in mine)
    assert sum(report["shape"].values()) == len(finished)
    coverage = report["coverage"]
    assert coverage["sampled"] == coverage["matched"] == coverage["summarized"] == len(finished)
    assert coverage["unfinished"] == len(TRACES) - len(finished)


async def test_a_trace_that_always_fails_is_named_and_the_others_are_reported(place: Place, settings: Settings) -> None:
    project = await place.project(TRACES)
    poison = next(trace["id"] for trace in TRACES if trace["end_time"])
    run = (await place.store.runs(DEFAULT_WORKSPACE, [poison]))[poison]
    await place.store.save_runs([StoredRun(run, {"inputs": b"no zstd"})])

    job = await place.run(project, str(uuid4()))
    report = await place.report(job, project)

    assert job.state is JobState.SUCCESS
    assert report["coverage"]["failed_count"] == 1
    assert report["coverage"]["failed"][0]["run_id"] == poison
    assert poison not in {row["run_id"] for row in report["runs"]}
    [letter] = await dead_letters(place, settings, job.id, "")
    assert letter.source == ItemSampled.topic
    assert letter.item_id == poison
    assert letter.reason == report["coverage"]["failed"][0]["reason"]


async def test_a_job_whose_every_trace_fails_ends_in_error_and_says_why(place: Place) -> None:
    project = await place.project(TRACES[:3])
    runs = await place.store.runs(DEFAULT_WORKSPACE, [trace["id"] for trace in TRACES[:3]])
    await place.store.save_runs([StoredRun(run, {"inputs": b"no zstd"}) for run in runs.values()])
    job = await place.run(project, str(uuid4()))
    assert job.state is JobState.ERROR
    assert "No trace could be summarised" in (job.error or "")


async def test_an_event_of_no_known_job_is_a_dead_letter_and_stops_nothing(place: Place, settings: Settings) -> None:
    stray = str(uuid4())
    for event in (ItemSampled, ItemEnded):
        await place.process.bus.publish(event(workspace_id=DEFAULT_WORKSPACE, job_id=stray, item_id="x"))
    project = await place.project(TRACES)
    assert (await place.run(project, str(uuid4()))).state is JobState.SUCCESS
    assert await dead_letters(place, settings, stray, "There is no item x")
    assert await dead_letters(place, settings, stray, f"There is no job {stray}")


async def test_an_event_that_is_not_json_is_a_dead_letter_and_stops_nothing(settings: Settings, tmp_path: Path) -> None:
    mark = uuid4().hex
    async with start(settings, tmp_path) as place:  # makes the bus's file
        pass
    await publish_raw(place, settings, ItemSampled.topic, "summarizer.item.sampled", f"no JSON {mark}".encode())
    async with start(settings, tmp_path) as place:
        project = await place.project(TRACES)
        assert (await place.run(project, str(uuid4()))).state is JobState.SUCCESS
        letters = await dead_letters(place, settings, None, "This is no insights.item.sampled")
        assert letters
        assert letters[0].job_id is None
        assert "no JSON" in letters[0].body


async def test_any_program_may_ask_for_a_report_by_an_event(place: Place) -> None:
    project = await place.project(TRACES)
    job_id = str(uuid4())
    config = {"name": "By event", "sample": 10}
    await place.process.bus.publish(
        JobRequested(workspace_id=DEFAULT_WORKSPACE, job_id=job_id, project=project.name, config=config)
    )
    job = await place.ended(new_job(project, job_id, JobConfig()))
    assert (job.state, job.name, job.sampled) == (JobState.SUCCESS, "By event", 10)


async def test_an_event_with_an_unknown_option_is_refused_by_its_name(place: Place, settings: Settings) -> None:
    project = await place.project(TRACES)
    job_id = str(uuid4())
    await place.process.bus.publish(
        JobRequested(workspace_id=DEFAULT_WORKSPACE, job_id=job_id, project=project.id, config={"sampel": 10})
    )
    assert await dead_letters(place, settings, job_id, "unknown option sampel")


async def test_a_job_that_was_stored_but_not_announced_is_not_lost(settings: Settings, tmp_path: Path) -> None:
    async with start(settings, tmp_path) as place:
        project = await place.project(TRACES)
    # Given a gateway that died between storing the job and publishing its event
    async with start(settings, tmp_path) as place:
        job = new_job(project, str(uuid4()), JobConfig(), at=now() - 60_000_000)
        job = job.model_copy(update={"received_before": 2**62})
        assert await place.store.insert_job(job)
    # When the next one starts, then the job is done
    async with start(settings, tmp_path) as place:
        assert (await place.ended(job)).state is JobState.SUCCESS


async def test_a_job_under_way_goes_on_when_the_process_is_started_again(settings: Settings, tmp_path: Path) -> None:
    async with start(settings, tmp_path) as place:
        project = await place.project(TRACES)
        whole = await place.report(await place.run(project, str(uuid4())), project)
        begun = new_job(project, str(uuid4()), JobConfig())
        await submit_job(place.store, place.process.bus.publish, begun)
    async with start(settings, tmp_path) as place:
        again = await place.report(await place.ended(begun), project)
    assert found_in(again) == found_in(whole)


def found_in(report: dict[str, Any]) -> Any:
    """What a report says, without the ids that follow from the job's."""
    clusters = [(one["level"], one["name"], one["num_runs"], one["stats"]) for one in report["clusters"]]
    rows = [(row["run_id"], row["cluster_name"], row["summary"]) for row in report["runs"]]
    return clusters, rows, report["coverage"], report["stats"], report["report"]["key_points"]


@pytest.mark.parametrize("unit", ["trace", "thread"])
async def test_a_thread_is_one_item_where_the_job_asks_for_threads(place: Place, unit: str) -> None:
    project = await place.project(TRACES)
    job = await place.run(project, str(uuid4()), JobConfig.strict({"unit": unit}, "test"))
    report = await place.report(job, project)
    finished = [trace for trace in TRACES if trace["end_time"]]
    threads = {trace["extra"]["metadata"].get("thread_id") or trace["id"] for trace in finished}
    assert len(report["runs"]) == (len(threads) if unit == "thread" else len(finished))
