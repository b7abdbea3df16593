"""prepare_job and summarize_item: look, work, save, publish, and nothing twice."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.summarizer.handlers import lease_name, prepare, prepare_job, summarize_item
from services.summarizer.releaser import Releaser
from shared.access import Role, new_key
from shared.asking import Asker
from shared.config import Settings
from shared.embedding.worker import Embedder
from shared.errors import InvalidEventError, ItemError, UsageError
from shared.events import ItemSampled, ItemSummarized, JobReported, JobRequested
from shared.features import Array, Features
from shared.frozen import FrozenJobs
from shared.leases import Lease
from shared.models import FINAL, Conduct, Item, ItemState, Job, JobState, StoredRun
from shared.store.sqlite import SqliteStore
from tests.services.conftest import NEVER_LAPSES, PLAN, J, P, Published, W, item, job, opened, trace

REQUESTED = JobRequested(workspace_id=W, job_id=J)
SAMPLED = ItemSampled(workspace_id=W, job_id=J, item_id="a")
SUMMARIZED = ItemSummarized(workspace_id=W, job_id=J, item_id="a")


def from_outside(**fields: Any) -> JobRequested:
    return JobRequested(**{"workspace_id": W, "job_id": "new", "project": "Support", "config": {}, **fields})


async def stored(store: SqliteStore, job_id: str = J) -> Job:
    found = await store.job(W, job_id)
    assert found is not None
    return found


async def stored_item(store: SqliteStore) -> Item:
    found = await store.item(W, J, "a")
    assert found is not None
    return found


async def test_a_prepared_job_is_running_with_its_counts_its_plan_and_pending_items(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await store.save_runs([trace(f"{n}", "Hello.") for n in range(5)] + [trace("open", status="pending")])
    await store.insert_job(job(config={"sample": 3}))
    await prepare_job(REQUESTED, store, publish, settings, "me")
    found = await stored(store)
    assert (found.state, found.matched, found.unfinished, found.sampled) == (JobState.RUNNING, 5, 1, 3)
    assert await store.count_items(W, J) == {ItemState.PENDING: 3}
    plan = await store.plan(W, J)
    assert plan is not None
    assert plan.documents == 3
    assert publish.events == []  # the releaser takes it from there


@pytest.mark.parametrize(
    ("fields", "config", "sentence"),
    [
        ({"window_start": 10}, {}, r"no finished trace in its time range"),
        ({}, {"filter": 'eq(name, "x")'}, r"no finished trace of its project that the filter eq\(name, \"x\"\) lets"),
        ({"received_before": 0}, {}, r"no finished trace of its project: widen"),
    ],
)
async def test_a_job_that_matches_nothing_ends_in_error_with_what_to_do(
    store: SqliteStore,
    publish: Published,
    settings: Settings,
    fields: dict[str, Any],
    config: dict[str, Any],
    sentence: str,
) -> None:
    await store.save_runs([trace("a")])
    await store.insert_job(job(config=config, **fields))
    await prepare_job(REQUESTED, store, publish, settings, "me")
    found = await stored(store)
    assert found.state is JobState.ERROR
    [reported] = publish.of(JobReported)
    assert (reported.status, reported.error) == ("error", found.error)
    assert re.search(sentence, found.error or ""), found.error


async def test_the_error_says_how_many_had_not_ended(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await store.save_runs([trace("a", status="pending"), trace("b", status="pending")])
    await store.insert_job(job())
    await prepare_job(REQUESTED, store, publish, settings, "me")
    assert "(2 have not ended)" in ((await stored(store)).error or "")


async def test_a_prompt_that_reads_what_is_not_there_ends_the_job_before_an_item_exists(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await store.save_runs([trace("a", "Hello.")])
    await store.insert_job(job(config={"summary_prompt": "{{run.inputs.nope}}"}))
    await prepare_job(REQUESTED, store, publish, settings, "me")
    assert "run.inputs.nope is in no trace" in ((await stored(store)).error or "")
    assert await store.count_items(W, J) == {}


@pytest.mark.parametrize("project", ["Support", P])
async def test_any_program_may_ask_for_a_job_by_the_name_or_id_of_a_project(
    store: SqliteStore, publish: Published, settings: Settings, project: str
) -> None:
    await store.save_runs([trace("a", "Hello."), trace("b", "Hello.")])
    await prepare_job(from_outside(project=project, config={"sample": 1}), store, publish, settings, "me")
    found = await stored(store, "new")
    assert (found.state, found.sampled, found.requested, found.announced) == (JobState.RUNNING, 1, 1, True)


async def test_an_event_with_an_option_that_nobody_knows_is_refused_by_name(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    with pytest.raises(UsageError, match=r"insights\.job\.requested: unknown option sampel"):
        await prepare_job(from_outside(config={"sampel": 5}), store, publish, settings, "me")
    assert await store.job(W, "new") is None


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (from_outside(project="nope"), "There is no project 'nope': send its traces first"),
        (from_outside(workspace_id="other"), "There is no project 'Support'"),
        (from_outside(config=None), "There is no job new, and the event has no project and config"),
        (REQUESTED, "There is no job j, and the event has no project"),
    ],
)
async def test_an_event_about_what_does_not_exist_is_invalid(
    store: SqliteStore, publish: Published, settings: Settings, event: JobRequested, sentence: str
) -> None:
    with pytest.raises(InvalidEventError, match=sentence):
        await prepare_job(event, store, publish, settings, "me")


async def test_where_there_are_keys_a_program_names_one_that_may_write(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await store.save_runs([trace("a", "Hello.")])
    good, weak, revoked = (new_key(W, "k", role, 1)[0] for role in (Role.WRITER, Role.READER, Role.ADMIN))
    foreign, _ = new_key("other", "k", Role.ADMIN, 1)
    for key in (good, weak, revoked, foreign):
        await store.insert_api_key(key)
    await store.revoke_api_key(W, revoked.id, 2)
    for key_id in (None, "made-up", weak.id, revoked.id, foreign.id):
        with pytest.raises(InvalidEventError, match="api_key_id"):
            await prepare_job(from_outside(api_key_id=key_id), store, publish, settings, "me")
    await prepare_job(from_outside(api_key_id=good.id), store, publish, settings, "me")
    assert (await stored(store, "new")).state is JobState.RUNNING


async def test_a_second_delivery_changes_nothing(store: SqliteStore, publish: Published, settings: Settings) -> None:
    """Traces that came since, and items that went on, stay as they are."""
    await store.save_runs([trace("a", "Hello.")])
    await prepare_job(from_outside(), store, publish, settings, "me")
    await store.move_item(W, "new", "a", {ItemState.PENDING}, ItemState.RELEASED)
    before = await stored(store, "new"), await store.item(W, "new", "a")
    await store.save_runs([trace("b", "Hello.")])
    await prepare_job(from_outside(config={"sample": 1}), store, publish, settings, "other")
    assert (await stored(store, "new"), await store.item(W, "new", "a")) == before
    assert await store.item(W, "new", "b") is None


async def test_a_delivery_after_a_crash_in_between_ends_what_the_first_began(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    """Given a plan and half of the items, but a job that is still queued."""
    await store.save_runs([trace("a", "Hello."), trace("b", "Hello.")])
    await store.insert_job(job())
    await store.insert_plan(PLAN)
    await store.insert_items([item("a")])
    await prepare_job(REQUESTED, store, publish, settings, "me")
    assert (await stored(store)).state is JobState.RUNNING
    assert await store.count_items(W, J) == {ItemState.PENDING: 2}


async def test_a_job_that_another_process_prepares_is_left_to_it(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await store.save_runs([trace("a", "Hello.")])
    await store.insert_job(job())
    await store.acquire_lease(lease_name(job()), "other", NEVER_LAPSES)
    await prepare_job(REQUESTED, store, publish, settings, "me")
    assert (await stored(store)).state is JobState.QUEUED
    assert await store.count_items(W, J) == {}


async def test_a_preparation_that_was_cut_short_begins_anew(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    """Traces that ended meanwhile change the draw: what the first one left would be items beyond the sample."""
    await store.save_runs([trace(f"{n}", "Hello.") for n in range(20)])
    await store.insert_job(job(config={"sample": 3}))
    await store.insert_items([item(f"left-{n}") for n in range(5)])
    await prepare_job(REQUESTED, store, publish, settings, "me")
    assert (await stored(store)).sampled == 3
    assert await store.count_items(W, J) == {ItemState.PENDING: 3}


async def test_an_owner_that_lost_its_lease_makes_no_items(store: SqliteStore) -> None:
    await store.save_runs([trace("a", "Hello.")])
    await store.insert_job(job())
    await prepare(store, job(), Lease(1, lost=True))
    assert await store.count_items(W, J) == {}
    assert (await stored(store)).state is JobState.QUEUED


class ReleasingStore(SqliteStore):
    """A store in which the process's releaser goes round as soon as a job runs."""

    releaser: Releaser | None = None

    async def move_job(self, *arguments: Any, **changes: Any) -> bool:
        moved = await super().move_job(*arguments, **changes)
        if self.releaser:
            await self.releaser.round()
        return moved


async def test_prepare_job_does_not_give_back_the_lease_of_its_own_process_releaser(
    tmp_path: Path, publish: Published, settings: Settings
) -> None:
    """Else two processes release the same job, and more than W of its items are in flight."""
    store = await opened(tmp_path, ReleasingStore)
    assert isinstance(store, ReleasingStore)
    mine, others = (Releaser(store, publish, settings, owner) for owner in ("me", "other"))
    store.releaser = mine
    try:
        await store.save_runs([trace(f"{n}", "Hello.") for n in range(9)])
        await store.insert_job(job())
        await prepare_job(REQUESTED, store, publish, settings, "me")
        await mine.round()
        publish.take()
        await others.round()
        assert publish.events == []
    finally:
        await store.close()


async def sampled(store: SqliteStore, state: ItemState = ItemState.RELEASED, **fields: Any) -> FrozenJobs:
    """A running job with the item `a` in this state."""
    await store.save_runs([trace("a", "My parcel is lost.", total_tokens=7)])
    await store.insert_job(job(JobState.RUNNING))
    await store.insert_plan(PLAN)
    await store.insert_items([item("a", state, **fields)])
    return FrozenJobs(store)


@pytest.mark.parametrize("state", [ItemState.RELEASED, ItemState.PENDING])
async def test_a_sampled_item_gets_its_summary_its_facts_and_its_features(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker, state: ItemState
) -> None:
    await summarize_item(SAMPLED, store, publish, await sampled(store, state), embedder, asker)
    found = await stored_item(store)
    assert (found.state, found.summary, found.facts.total_tokens) == (ItemState.SUMMARIZED, "My parcel is lost.", 7)
    assert found.facts.conduct == Conduct(messages=1, user_turns=1)
    features = Features.unpack(found.features)
    assert (features.request, features.encoder, features.request_vector) == ("My parcel is lost.", "", None)
    assert publish.events == [SUMMARIZED]


class Marking(Embedder):
    """Gives each text the vector that points along its place in the call; one that is not called with texts fails."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    async def encode(self, texts: Sequence[str]) -> Array | None:
        self.calls.append(list(texts))
        return np.eye(384, dtype=np.float32)[: len(texts)]

    async def name(self) -> str:
        return "marking"


@pytest.mark.parametrize("answered", [True, False])
async def test_request_and_gist_are_embedded_in_one_call(
    store: SqliteStore, publish: Published, asker: Asker, answered: bool
) -> None:
    frozen_jobs, embedder = await sampled(store), Marking()
    said = [{"role": "user", "content": "My parcel is lost."}, {"role": "assistant", "content": "It is on its way."}]
    await store.save_runs([trace("a", inputs={"messages": said[: 1 + answered]})])
    await summarize_item(SAMPLED, store, publish, frozen_jobs, embedder, asker)
    features = Features.unpack((await stored_item(store)).features)
    gist = ["My parcel is lost.\nIt is on its way."] if answered else []
    assert embedder.calls == [["My parcel is lost.", *gist]]
    assert (features.encoder, features.gist_vector is not None) == ("marking", answered)
    assert features.request_vector is not None
    assert features.request_vector.argmax() == 0
    assert features.gist_vector is None or features.gist_vector.argmax() == 1


async def test_the_error_of_a_run_is_told(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    frozen_jobs = await sampled(store)
    await store.save_runs([trace("a", "Go on.", status="error", error="GraphRecursionError: recursion limit")])
    await summarize_item(SAMPLED, store, publish, frozen_jobs, embedder, asker)
    found = await stored_item(store)
    assert (found.summary or "").endswith("Error: GraphRecursionError: recursion limit")
    assert found.facts.conduct is not None
    assert found.facts.conduct.out_of_budget


async def test_a_repeated_event_publishes_again_but_does_not_work_again(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    """Given a summary that the work would not make, and a body at which it would fail."""
    frozen_jobs = await sampled(store, ItemState.SUMMARIZED, summary="the first")
    await store.save_runs([StoredRun(trace("a").run, {"inputs": b"no zstd"})])
    await summarize_item(SAMPLED, store, publish, frozen_jobs, embedder, asker)
    assert (await stored_item(store)).summary == "the first"
    assert publish.events == [SUMMARIZED]


@pytest.mark.parametrize("state", FINAL)
async def test_an_item_that_has_ended_is_not_touched(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker, state: ItemState
) -> None:
    frozen_jobs = await sampled(store, state, reason="why")
    before = await stored_item(store)
    await summarize_item(SAMPLED, store, publish, frozen_jobs, embedder, asker)
    assert await stored_item(store) == before
    assert publish.events == []


async def test_an_item_or_a_job_that_was_deleted_makes_the_event_invalid(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    with pytest.raises(InvalidEventError, match="There is no item a in job j"):
        await summarize_item(SAMPLED, store, publish, FrozenJobs(store), embedder, asker)
    await store.insert_items([item("a", ItemState.RELEASED)])
    with pytest.raises(InvalidEventError, match="There is no prepared job j"):
        await summarize_item(SAMPLED, store, publish, FrozenJobs(store), embedder, asker)


async def test_an_item_whose_body_is_damaged_fails_with_a_sentence(
    store: SqliteStore, publish: Published, embedder: Embedder, asker: Asker
) -> None:
    frozen_jobs = await sampled(store)
    await store.save_runs([StoredRun(trace("a").run, {"inputs": b"no zstd"})])
    with pytest.raises(ItemError, match="send the trace again"):
        await summarize_item(SAMPLED, store, publish, frozen_jobs, embedder, asker)
    assert publish.events == []
