"""Which traces a job looks at."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

from services.summarizer.sampling import draw, random_order
from shared.models import Job, StoredRun
from shared.store.sqlite import SqliteStore
from tests.services.conftest import W, job, opened, trace


async def drawn(store: SqliteStore, job: Job) -> list[str]:
    return [item.id for item in (await draw(store, job)).items]


def config(**fields: Any) -> Job:
    return job(config=fields)


async def test_the_window_begins_at_its_start_and_ends_before_its_end(store: SqliteStore) -> None:
    await store.save_runs([trace(f"at {n}", start_time=n) for n in range(10, 60, 10)] + [trace("no time")])
    assert await drawn(store, job(window_start=20, window_end=40)) == ["at 20", "at 30"]
    assert await drawn(store, job(window_start=40)) == ["at 40", "at 50"]
    assert "no time" in await drawn(store, job())


async def test_runs_that_arrived_after_the_job_are_not_in_it(store: SqliteStore) -> None:
    await store.save_runs([trace("before", received_at=99), trace("after", received_at=100)])
    assert await drawn(store, job(received_before=100)) == ["before"]


async def test_other_projects_and_child_runs_are_not_in_it(store: SqliteStore) -> None:
    child = trace("child", parent_run_id="mine", trace_id="mine")
    await store.save_runs([trace("mine"), child, trace("other", project_id="q"), trace("tenant", workspace_id="x")])
    assert await drawn(store, job()) == ["mine"]


async def test_the_filter_decides_and_its_matches_are_counted_before_the_sample_is_cut(store: SqliteStore) -> None:
    await store.save_runs([trace(f"{n:02}", status="error" if n % 2 else "success") for n in range(20)])
    sample = await draw(store, config(filter='eq(status, "error")', sample=3))
    assert (sample.matched, len(sample.items)) == (10, 3)
    assert all(int(item.id) % 2 for item in sample.items)


async def test_the_filter_may_ask_what_was_said(store: SqliteStore) -> None:
    await store.save_runs([trace("a", said="refund please"), trace("b", said="hello"), trace("c")])
    assert await drawn(store, config(filter='search("Refund")')) == ["a"]
    assert await drawn(store, config(filter='not(like(input_value, "%refund%"))')) == ["b", "c"]


async def test_unfinished_runs_are_counted_and_left_out_whatever_the_filter(store: SqliteStore) -> None:
    await store.save_runs([trace("done"), trace("open 1", status="pending"), trace("open 2", status="pending")])
    sample = await draw(store, config(filter='eq(status, "pending")'))
    assert (sample.matched, sample.unfinished, sample.items) == (0, 2, [])


async def test_the_sample_is_a_function_of_ids_and_seed_alone(tmp_path: Path, store: SqliteStore) -> None:
    """Neither the order in which traces came, nor the job's id, nor a second look changes it; the seed does."""
    runs = [trace(f"{n:03}") for n in range(300)]
    await store.save_runs(runs)
    shuffled = random.Random(1).sample(runs, len(runs))
    (tmp_path / "b").mkdir()
    other = await opened(tmp_path / "b")
    for start in range(0, len(shuffled), 77):
        await other.save_runs(shuffled[start : start + 77])
    try:
        expected = await drawn(store, config(sample=40))
        assert await drawn(other, job(config={"sample": 40}, id="another job")) == expected
        assert expected == sorted(expected)
        assert await drawn(store, config(sample=40, seed=1)) != expected
    finally:
        await other.close()


async def test_every_trace_is_drawn_as_often_as_any_other(store: SqliteStore) -> None:
    """Over 400 seeds each of 40 traces is expected 100 times, with a standard deviation of 8.7: ± 5 of them pass."""
    await store.save_runs([trace(f"{n:02}") for n in range(40)])
    times: Counter[str] = Counter()
    for seed in range(400):
        times.update(await drawn(store, config(sample=10, seed=seed)))
    assert len(times) == 40
    assert all(56 <= count <= 144 for count in times.values())


async def test_a_sample_that_is_cut_while_it_is_read_is_the_same(store: SqliteStore) -> None:
    """More traces than the heap holds at once: the sample is still the lowest of the whole random order."""
    runs: list[StoredRun] = [trace(f"{n:05}") for n in range(2_500)]
    await store.save_runs(runs)
    whole = random_order(job(), (await draw(store, job())).items)
    sample = await draw(store, config(sample=20))
    assert sample.matched == 2_500
    assert [item.id for item in sample.items] == sorted(item.id for item in whole[:20])


async def test_a_sample_larger_than_what_there_is_takes_all(store: SqliteStore) -> None:
    await store.save_runs([trace("a"), trace("b")])
    assert await drawn(store, config(sample=10)) == ["a", "b"]
    assert await drawn(store, config(sample=1)) in (["a"], ["b"])


async def test_a_thread_is_one_item_with_its_traces_in_time_order(store: SqliteStore) -> None:
    late, early = trace("a", thread_id="t", start_time=2), trace("b", thread_id="t", start_time=1)
    await store.save_runs([late, early, trace("alone", start_time=3), trace("c", thread_id="u", start_time=4)])
    sample = await draw(store, config(unit="thread"))
    assert sample.matched == 3
    by_thread = {item.thread_id: item for item in sample.items}
    assert by_thread["t"].run_ids == ("b", "a")
    assert by_thread[None].id == "alone"
    assert [item.id for item in sample.items] == sorted(item.id for item in sample.items)


async def test_a_thread_has_the_same_id_in_every_job_so_that_samples_agree(store: SqliteStore) -> None:
    await store.save_runs([trace("a", thread_id="t")])
    [one] = (await draw(store, config(unit="thread"))).items
    [other] = (await draw(store, job(config={"unit": "thread"}, id="another job"))).items
    assert (one.id, one.workspace_id) == (other.id, W)
    assert one.id != "t"
