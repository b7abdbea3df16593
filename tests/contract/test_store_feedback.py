"""Feedback in either store."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.feedback import FeedbackRecord, WantedFeedback
from shared.feedback_stats import count_waiting, keep_feedback
from shared.models import Feedback, StoredRun
from shared.removing import remove_project
from shared.store import Store
from tests.contract.test_store import HARD, HARD_TEXT, OTHER, P, W, run, same


def record(feedback_id: str, **fields: Any) -> FeedbackRecord:
    fixed = {"workspace_id": W, "id": feedback_id, "key": "liked", "run_id": "r", "created_at": 1, "modified_at": 1}
    return FeedbackRecord(**{**fixed, **fields})


async def listed(store: Store, **wanted: Any) -> list[str]:
    return [one.id for one in await store.feedback(WantedFeedback(W, **wanted))]


async def stats(store: Store, run_id: str = "r") -> dict[str, Feedback]:
    return (await store.runs(W, [run_id]))[run_id].feedback


class FeedbackContract:
    """Given an empty store, `store`, of either kind, and `other`, another client of the same one."""

    async def test_feedback_comes_back_equal_whatever_is_in_it(self, store: Store) -> None:
        hard = record("a", key=HARD_TEXT, score=float("nan"), value=HARD, comment=HARD_TEXT, feedback_source=HARD)
        await store.save_feedback([hard, record("b", score=True, correction=[None, 10**400])])
        found = await store.feedback_by_id(W, ["a", "b", "c"])
        assert found.keys() == {"a", "b"}
        assert same(found["a"], hard)
        assert same(found["b"], record("b", score=True, correction=[None, 10**400]))
        assert await store.feedback_by_id(OTHER, ["a"]) == {}

    async def test_it_is_found_by_run_project_key_and_source_newest_first(self, store: Store) -> None:
        await store.save_feedback(
            [
                record("a", created_at=2),
                record("b", key=HARD_TEXT, source="model"),
                record("c", run_id=None, project_id=P, created_at=3),
                record("d", run_id="s", project_id=P),
                record("a", workspace_id=OTHER),
            ]
        )
        assert await listed(store) == ["c", "a", "d", "b"]
        assert await listed(store, run_ids=["r", "s", "t"]) == ["a", "d", "b"]
        assert await listed(store, project_ids=[P]) == ["c", "d"]
        assert await listed(store, keys=[HARD_TEXT]) == ["b"]
        assert await listed(store, keys=[HARD_TEXT, "liked"], sources=["api"], run_ids=["r"]) == ["a"]
        pages = [await store.feedback(WantedFeedback(W), offset=at, limit=3) for at in (0, 3, 6)]
        assert [[one.id for one in page] for page in pages] == [["c", "a", "d"], ["b"], []]

    @pytest.mark.parametrize("turned", [False, True])
    async def test_of_one_id_what_was_modified_last_stays_in_whatever_order_it_comes(
        self, store: Store, turned: bool
    ) -> None:
        sent = [record("a", score=number, modified_at=number) for number in (1, 2)]
        for one in sent[::-1] if turned else sent:
            await store.save_feedback([one])
        await store.save_feedback([record("b", score=number, modified_at=number) for number in (1, 3, 2)])
        found = await store.feedback_by_id(W, ["a", "b"])
        assert (found["a"].score, found["b"].score) == (2, 3)

    async def test_an_update_sets_what_it_names(self, store: Store) -> None:
        await store.save_feedback([record("a", score=1, comment="old")])
        assert await store.update_feedback(W, "a", score=None, value=HARD, modified_at=5)
        assert not await store.update_feedback(OTHER, "a", score=7)
        found = (await store.feedback_by_id(W, ["a"]))["a"]
        assert same(found, record("a", value=HARD, comment="old", modified_at=5))
        await store.delete_feedback(OTHER, "a")
        assert await listed(store) == ["a"]
        await store.delete_feedback(W, "a")
        assert await listed(store) == []

    async def test_a_run_has_its_feedback_whichever_comes_first(self, store: Store) -> None:
        """True is 1, what is no finite number counts without a score, and trace and project are the run's."""
        scores = [True, 0, 0.5, None, float("nan"), 10**400]
        sent = [record(str(number), score=score) for number, score in enumerate(scores)]
        await keep_feedback(store, W, sent[:3])
        await store.save_runs([StoredRun(run("r", trace_id="t", project_id="q"))])
        await count_waiting(store, W, ["r", "s"])
        assert await stats(store) == {"liked": Feedback(n=3, avg=0.5)}
        await keep_feedback(store, W, sent[3:])
        assert await stats(store) == {"liked": Feedback(n=6, avg=0.5)}
        assert await listed(store, project_ids=["q"]) == ["5", "4", "3", "2", "1", "0"]
        assert {one.trace_id for one in await store.feedback(WantedFeedback(W))} == {"t"}

    async def test_what_the_source_told_of_a_run_is_joined_and_stays(self, store: Store) -> None:
        told = {"liked": Feedback(n=3, avg=1.0), "stars": Feedback(n=1, avg=4.0)}
        await store.save_runs([StoredRun(run("r", feedback=told), {"inputs": b"1"})])
        for _ in range(2):
            await keep_feedback(store, W, [record("a", score=0)])
            assert await stats(store) == {**told, "liked": Feedback(n=4, avg=0.75)}
        await keep_feedback(store, W, [record("a", score=0, run_id="s")])
        assert await stats(store) == told
        assert await store.bodies(W, ["r"], ["inputs"]) == {"r": {"inputs": b"1"}}

    async def test_of_many_writers_at_once_each_is_counted(self, store: Store, other: Store) -> None:
        await store.save_runs([StoredRun(run("r"))])
        sent = [record(str(number), score=number % 2) for number in range(12)]
        await asyncio.gather(
            *(keep_feedback(one, W, [each]) for one, each in zip([store, other] * 6, sent, strict=True))
        )
        assert await stats(store) == {"liked": Feedback(n=12, avg=0.5)}

    async def test_a_count_whose_run_another_has_written_meanwhile_is_made_again(
        self, store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store.save_runs([StoredRun(run("r"))])
        merge, writes = store.merge_runs, iter([other.save_runs([StoredRun(run("r", name="renamed"))])])

        async def overtaken(runs: Sequence[StoredRun]) -> set[str]:
            for write in writes:
                await write
            return await merge(runs)

        monkeypatch.setattr(store, "merge_runs", overtaken)
        await keep_feedback(store, W, [record("a", score=1)])
        found = (await store.runs(W, ["r"]))["r"]
        assert (found.name, found.feedback) == ("renamed", {"liked": Feedback(n=1, avg=1)})

    async def test_a_project_goes_with_all_feedback_on_it_and_on_its_runs(self, store: Store) -> None:
        await store.save_runs([StoredRun(run("r")), StoredRun(run("s", project_id="q"))])
        await keep_feedback(store, W, [record("a"), record("b", run_id="s"), record("c", run_id=None, project_id=P)])
        await store.save_feedback([record("d", workspace_id=OTHER, project_id=P)])
        await store.delete_project_runs(W, P)
        assert await listed(store) == ["c", "b"]
        await remove_project(store, W, P)
        assert await listed(store) == ["b"]
        assert (await store.feedback_by_id(OTHER, ["d"])).keys() == {"d"}


class TestSqliteFeedback(FeedbackContract):
    """On the default `url`."""


class TestMongoFeedback(TestSqliteFeedback):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url
