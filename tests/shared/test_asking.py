"""A question is paid once, a bill is complete, and a budget is not passed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from shared.asking import TEXTS, Asker, Purpose, key_of
from shared.bus import Router
from shared.bus.delivery import Delivery
from shared.errors import AnswerError, BudgetError, JobError, ModelAwayError
from shared.events import DeadLetter, Event, ItemSampled, JobReported
from shared.job_config import JobConfig
from shared.llm import Endpoint, Llm, Price, Prices, Request
from shared.models import Item, ItemState, Job, JobState, Spending, Stage
from shared.secrets import Secret
from shared.sqlite import Database
from shared.store import connect
from shared.store.sqlite import SqliteStore
from tests.shared.llm.conftest import Bench, Reply, Script, completion, failure, question

# An answer of the script is 100 tokens of input, 40 of them cached, and 20 of output: $0.20, and $1 at most.
PRICES = Prices(
    as_of=date(2026, 1, 1),
    models={name: Price(input=0, cached_input=0, output=10_000) for name in ("dear", "gpt-5-dear")},
)
SUMMARY = Purpose("w", "j", Stage.SUMMARIES)
JOB = Job(workspace_id="w", id="j", project_id="p", name="n", created_at=1, config=JobConfig(), received_before=9)


class CountingStore(SqliteStore):
    def __init__(self, path: Path, database: Database) -> None:
        super().__init__(path, database)
        self.looks = 0  # at a bill
        self.looked = asyncio.Semaphore(0)
        self.kept = 0  # writes of answers

    async def spending(self, workspace_id: str, job_id: str) -> list[Spending]:
        self.looks += 1
        self.looked.release()
        return await super().spending(workspace_id, job_id)

    async def keep_answers(self, workspace_id: str, answers: Mapping[Stage, Mapping[str, bytes]]) -> None:
        self.kept += 1
        await super().keep_answers(workspace_id, answers)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CountingStore]:
    store = await CountingStore.open(f"sqlite:///{tmp_path}/insights.db")
    yield store
    await store.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for llm in made.clients:
        asyncio.run(llm.close())


def dear(number: int = 0, **options: Any) -> Request:
    return question(**{"model": "dear", "text": f"What is {number}?", "max_output_tokens": 100, **options})


def within(budget: float, stage: Stage = Stage.SUMMARIES) -> Purpose:
    return Purpose("w", "j", stage, budget)


async def tried(asker: Asker, purpose: Purpose, requests: list[Request]) -> list[dict[str, Any] | BaseException]:
    return await asyncio.gather(*(asker.answer(purpose, one) for one in requests), return_exceptions=True)


class Held:
    """A reply that waits until it is let go; `arrived` is set when a call waits for it."""

    def __init__(self) -> None:
        self.arrived, self.free = asyncio.Event(), asyncio.Event()

    async def __call__(self, body: dict[str, Any]) -> httpx2.Response:
        self.arrived.set()
        await self.free.wait()
        return completion()


class TestPaidOnce:
    async def test_the_second_answer_to_a_question_is_the_kept_one(self, store: CountingStore, bench: Bench) -> None:
        script = Script(completion(), completion('{"text": "another"}'))
        asker = Asker(store, bench(script), PRICES)
        assert await asker.answer(SUMMARY, dear()) == await asker.answer(SUMMARY, dear()) == {"text": "fine"}
        assert len(script.requests) == 1
        [bill] = await store.spending("w", "j")
        assert bill == Spending(stage=Stage.SUMMARIES, model="dear", calls=1, input=100, cached=40, output=20)
        assert await asker.money("w", "j") == pytest.approx(0.2)

    async def test_another_job_and_process_of_the_workspace_finds_it_and_no_other_workspace(
        self, store: CountingStore, bench: Bench, tmp_path: Path
    ) -> None:
        script = Script(completion())
        await Asker(store, bench(script), PRICES).answer(SUMMARY, dear())
        other = await connect(f"sqlite:///{tmp_path}/insights.db")
        again = Asker(other, bench(script), PRICES)
        await again.answer(replace(SUMMARY, job_id="later"), dear())
        assert [(one.calls, one.kept) for one in await store.spending("w", "later")] == [(0, 1)]
        assert await again.money("w", "later") == 0
        await again.answer(replace(SUMMARY, workspace_id="other"), dear())
        assert len(script.requests) == 2
        await other.close()

    async def test_another_endpoints_model_of_the_same_name_is_asked_anew(
        self, store: CountingStore, bench: Bench
    ) -> None:
        script = Script(completion())
        for url in ("http://a/v1", "http://a/v1/", "http://b/v1", None):
            await Asker(store, bench(script, Endpoint(url)), PRICES).answer(SUMMARY, dear())
        assert [request.url.host for request in script.requests] == ["a", "b", "api.openai.com"]

    async def test_answers_of_two_stages_are_kept_in_one_write(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(completion())), PRICES)
        await asker.keep(SUMMARY, {"a": 1}, {Stage.ATTRIBUTES: {"b": [2, None]}})
        assert store.kept == 1
        assert await asker.kept(SUMMARY, ["a", "b"], "dear") == {"a": 1, "b": [2, None]}
        assert {stage: n for stage, (n, _) in (await store.count_answers()).items()} == {
            Stage.SUMMARIES: 1,
            Stage.ATTRIBUTES: 1,
        }

    @pytest.mark.parametrize(
        "changed", [{"model": "m"}, {"text": "Else?"}, {"max_output_tokens": 99}, {"effort": "high"}, {"seed": 1}]
    )
    async def test_whatever_is_changed_in_a_question_makes_another(
        self, store: CountingStore, bench: Bench, changed: dict[str, Any]
    ) -> None:
        script = Script(completion())
        asker = Asker(store, bench(script), PRICES)
        await asker.answer(SUMMARY, dear())
        await asker.answer(SUMMARY, dear(**changed))
        assert len(script.requests) == 2

    async def test_of_many_who_ask_the_same_at_once_one_pays_and_none_counts_as_kept(
        self, store: CountingStore, bench: Bench
    ) -> None:
        script = Script(completion())
        asker = Asker(store, bench(script), PRICES)
        assert await tried(asker, SUMMARY, [dear()] * 12) == [{"text": "fine"}] * 12
        assert len(script.requests) == 1
        assert [(one.calls, one.kept) for one in await store.spending("w", "j")] == [(1, 0)]

    async def test_who_waits_asks_where_the_first_was_cancelled(self, store: CountingStore, bench: Bench) -> None:
        held = Held()
        asker = Asker(store, bench(Script(held, completion())), PRICES)
        first = asyncio.create_task(asker.answer(SUMMARY, dear()))
        await held.arrived.wait()
        second = asyncio.create_task(asker.answer(SUMMARY, dear()))
        first.cancel()
        assert await second == {"text": "fine"}

    async def test_those_who_wait_for_several_keys_never_wait_for_each_other(
        self, store: CountingStore, bench: Bench
    ) -> None:
        asker = Asker(store, bench(Script(completion())), PRICES)
        order: list[str] = []

        async def hold(*keys: str) -> None:
            async with asker.alone(SUMMARY, keys):
                order.append(f"+{keys[0]}")
                await asyncio.sleep(0)
                order.append(f"-{keys[0]}")

        await asyncio.gather(*(hold(*keys) for keys in [("a", "b"), ("b", "a"), ("c", "a", "c"), ("b", "c")]))
        assert all(begun[1] == ended[1] for begun, ended in zip(order[::2], order[1::2], strict=True))

    async def test_any_json_and_any_bytes_come_back(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(completion())), PRICES)
        hard = {"value": {"half \ud83d": [10**40, None, 0.1, True]}, "bytes": b"\x00j{", "none": None}
        await asker.keep(SUMMARY, hard)
        assert await asker.kept(SUMMARY, [*hard, "missing"], "dear") == hard


class TestBill:
    async def test_answers_that_could_not_be_used_are_on_it(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(completion("no JSON"))), PRICES)
        with pytest.raises(AnswerError):
            await asker.answer(SUMMARY, dear())
        assert [(one.calls, one.output) for one in await store.spending("w", "j")] == [(2, 40)]

    async def test_what_was_paid_before_a_question_is_cancelled_is_on_it(
        self, store: CountingStore, bench: Bench
    ) -> None:
        held = Held()
        asker = Asker(store, bench(Script(completion("no JSON"), held)), PRICES)
        asking = asyncio.create_task(asker.answer(within(9), dear()))
        await held.arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert [(one.calls, one.cut) for one in await store.spending("w", "j")] == [(1, 1)]

    async def test_a_failure_that_nobody_is_paid_for_is_not(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(failure(400, code="content_filter"))), PRICES)
        with pytest.raises(AnswerError):
            await asker.answer(SUMMARY, dear())
        assert await store.spending("w", "j") == []

    async def test_money_is_unknown_where_one_price_is(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(completion())), PRICES)
        await asker.answer(SUMMARY, dear())
        assert await asker.money("w", "j") == pytest.approx(0.2)
        await asker.answer(SUMMARY, dear(model="nobody-knows"))
        assert await asker.money("w", "j") is None


class TestBudget:
    async def test_it_is_passed_by_one_call_at_most_however_many_ask_at_once(
        self, store: CountingStore, bench: Bench
    ) -> None:
        """$8.50 of $10 are for summaries, and one costs $0.20."""
        asker = Asker(store, bench(Script(completion())), PRICES)
        found = await tried(asker, within(10), [dear(number) for number in range(60)])
        refused = {str(one) for one in found if isinstance(one, BudgetError)}
        assert refused == {"The budget of $10.00 pays no further call: raise it, or take a smaller sample."}
        assert store.looks < 5 * len(found)
        spent = await asker.money("w", "j")
        assert spent is not None
        assert 8.5 < spent <= 8.71

    async def test_what_is_paid_is_what_answers_were_and_not_what_they_might_have_been(
        self, store: CountingStore, bench: Bench
    ) -> None:
        """With its thoughts an answer may cost $41. Such as it is, $10 pay fifty."""
        script = Script(completion())
        asker = Asker(store, bench(script), PRICES)
        purpose = within(10, Stage.FINDINGS)
        found = await tried(asker, purpose, [dear(number, model="gpt-5-dear") for number in range(49)])
        assert found == [{"text": "fine"}] * 49
        assert script.bodies[0]["max_completion_tokens"] == 4_100

    @pytest.mark.parametrize("bad", ["no JSON", ""])
    async def test_a_further_attempt_is_a_call_as_the_first(self, store: CountingStore, bench: Bench, bad: str) -> None:
        script = Script(completion(bad), completion())
        asker = Asker(store, bench(script), PRICES)
        with pytest.raises(BudgetError):
            await asker.answer(within(0.1, Stage.FINDINGS), dear())
        assert len(script.requests) == 1
        assert [(one.calls, one.output) for one in await store.spending("w", "j")] == [(1, 20)]

    async def test_who_waits_with_a_further_attempt_stands_in_nobodys_way(
        self, store: CountingStore, bench: Bench
    ) -> None:
        """Of two with one place at the endpoint, the first cannot go on until the second has ended."""
        script = Script(completion("no JSON"), completion("no JSON"), completion())
        asker = Asker(store, bench(script, concurrency=1), PRICES)
        async with asyncio.timeout(10):
            found = await tried(asker, within(0.55, Stage.FINDINGS), [dear(1), dear(2)])
        assert sorted(type(one).__name__ for one in found) == ["BudgetError", "dict"]
        assert await asker.money("w", "j") == pytest.approx(0.6)

    async def test_who_waits_for_room_and_is_cancelled_holds_up_nobody(
        self, store: CountingStore, bench: Bench
    ) -> None:
        held = Held()
        asker = Asker(store, bench(Script(held, completion())), PRICES)
        asking = [asyncio.create_task(asker.answer(within(0.45, Stage.FINDINGS), dear(n))) for n in range(3)]
        await held.arrived.wait()
        for _ in asking:  # the others look at the bill, and wait
            await store.looked.acquire()
        asking[1].cancel()
        held.free.set()
        assert [await asking[0], await asking[2]] == [{"text": "fine"}] * 2

    async def test_a_share_is_left_for_what_comes_last(self, store: CountingStore, bench: Bench) -> None:
        """After $0.40, of which $0.38 are for summaries."""
        asker = Asker(store, bench(Script(completion())), PRICES)
        await tried(asker, SUMMARY, [dear(1), dear(2)])
        with pytest.raises(BudgetError):
            await asker.answer(within(0.45), dear(3))
        assert await asker.answer(within(0.45, Stage.CATEGORIES), dear(4)) == {"text": "fine"}

    async def test_an_answer_that_is_kept_needs_none(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(completion())), PRICES)
        await asker.answer(SUMMARY, dear())
        assert await asker.answer(within(0), dear()) == {"text": "fine"}

    async def test_what_another_process_has_paid_counts(self, store: CountingStore, bench: Bench) -> None:
        here, there = (Asker(store, bench(Script(completion())), PRICES) for _ in range(2))
        await here.answer(within(0.1, Stage.FINDINGS), dear(1))
        with pytest.raises(BudgetError):
            await there.answer(within(0.1, Stage.FINDINGS), dear(2))

    async def test_room_is_free_again_after_a_failure(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(failure(400, code="content_filter"), completion())), PRICES)
        found = await tried(asker, within(0.45), [dear(1), dear(2)])
        assert {type(one) for one in found} == {AnswerError, dict}

    @pytest.mark.parametrize("unknown", ["asked", "paid"])
    async def test_a_price_that_nobody_knows_ends_the_job_before_anything_is_asked(
        self, store: CountingStore, bench: Bench, unknown: str
    ) -> None:
        script = Script(completion())
        asker = Asker(store, bench(script), PRICES)
        if unknown == "paid":
            await store.add_spending("w", "j", Spending(stage=Stage.SUMMARIES, model="odd", calls=1))
        with pytest.raises(JobError, match=r"price of odd is unknown.*INSIGHTS_PRICES"):
            await asker.answer(within(10), dear(model="odd" if unknown == "asked" else "dear"))
        assert script.requests == []

    async def test_without_one_no_bill_is_read(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(completion())), PRICES)
        await tried(asker, SUMMARY, [dear(number) for number in range(5)])
        assert store.looks == 0


class TestPatience:
    async def waited(self, asker: Asker, bench: Bench) -> float:
        """Seconds until the job ends, asked for again each minute, as delivery does."""
        begun = bench.waits.clock()

        async def deliver() -> None:
            while True:
                with suppress(ModelAwayError):
                    await asker.answer(SUMMARY, dear())
                await bench.waits(60)

        with pytest.raises(JobError, match=r"too many calls.* for 60 minutes: start the job again"):
            await deliver()
        return bench.waits.clock() - begun

    @pytest.mark.parametrize("headers", [{}, {"retry-after": "900"}])
    async def test_a_429_for_ever_ends_the_job_after_an_hour_with_what_to_do(
        self, store: CountingStore, bench: Bench, headers: dict[str, str]
    ) -> None:
        script = Script(failure(429, headers=headers))
        asker = Asker(store, bench(script), PRICES, clock=bench.waits.clock)
        assert 3_600 <= await self.waited(asker, bench) < 4_600
        asked = len(script.requests)
        with pytest.raises(JobError, match="60 minutes"):
            await asker.answer(SUMMARY, dear(2))
        assert len(script.requests) == asked

    async def test_each_answer_to_the_job_begins_it_anew(self, store: CountingStore, bench: Bench) -> None:
        script = Script(failure(429))
        asker = Asker(store, bench(script), PRICES, clock=bench.waits.clock)
        with pytest.raises(ModelAwayError):
            await asker.answer(SUMMARY, dear())
        await bench.waits(3_000)
        script.replies = [completion(), failure(429)]
        await asker.answer(SUMMARY, dear(1))
        assert await self.waited(asker, bench) >= 3_600

    async def test_each_job_has_its_own(self, store: CountingStore, bench: Bench) -> None:
        asker = Asker(store, bench(Script(failure(429))), PRICES, clock=bench.waits.clock)
        await self.waited(asker, bench)
        with pytest.raises(ModelAwayError):
            await asker.answer(replace(SUMMARY, job_id="later"), dear())


@pytest.mark.parametrize(
    ("state", "error", "words"), [(JobState.ERROR, "The key is wrong.", "The key"), (JobState.SUCCESS, None, "ended")]
)
async def test_a_job_that_has_ended_asks_nothing_more(
    store: CountingStore, bench: Bench, state: JobState, error: str | None, words: str
) -> None:
    """Its items may be on their way in another process."""
    script = Script(completion())
    asker = Asker(store, bench(script), PRICES)
    await store.insert_job(JOB)
    await asker.answer(SUMMARY, dear(1))
    await store.move_job("w", "j", [JOB.state], state, error=error)
    with pytest.raises(JobError, match=words):
        await asker.answer(SUMMARY, dear(2))
    assert await asker.answer(SUMMARY, dear(1)) == {"text": "fine"}
    assert len(script.requests) == 1


async def test_who_waits_for_its_client_while_the_key_is_refused_does_not_ask(
    store: CountingStore, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, over, looks, secrets = Script(failure(401, "No.")), asyncio.Event(), count(1), store.secrets
    asker = Asker(store, bench(script), PRICES)

    async def looked(workspace_id: str) -> list[Secret]:
        if next(looks) == 2:
            await over.wait()
        return await secrets(workspace_id)

    async def ask(number: int) -> None:
        try:
            await asker.ask(SUMMARY, dear(number))
        finally:
            over.set()

    monkeypatch.setattr(store, "secrets", looked)
    found = await asyncio.gather(ask(1), ask(2), return_exceptions=True)
    assert ([type(one) for one in found], len(script.requests)) == ([JobError, JobError], 1)


async def test_a_wrong_key_is_one_call_one_failed_job_and_one_dead_letter(store: CountingStore, bench: Bench) -> None:
    """However many items are on their way, and however many come later."""
    script = Script(failure(401, "Incorrect API key provided"))
    asker = Asker(store, bench(script), PRICES)
    await store.insert_job(JOB.model_copy(update={"state": JobState.RUNNING}))
    items = [Item(workspace_id="w", job_id="j", id=str(n), run_ids=("r",), state=ItemState.RELEASED) for n in range(50)]
    await store.insert_items(items)
    router, published = Router("group"), list[Event | DeadLetter]()

    @router.subscriber(ItemSampled)
    async def ask(event: ItemSampled) -> None:
        await asker.answer(SUMMARY, dear(int(event.item_id)))

    async def publish(event: Event | DeadLetter) -> None:
        published.append(event)

    deliver = Delivery(router.routes[0], {"store": store, "publish": publish})
    bodies = [ItemSampled(workspace_id="w", job_id="j", item_id=item.id).model_dump_json().encode() for item in items]
    await asyncio.gather(*map(deliver, bodies[:40]))
    await asyncio.gather(*map(deliver, bodies[40:]))
    job = await store.job("w", "j")
    assert job is not None
    assert (job.state, "set OPENAI_API_KEY" in (job.error or "")) == (JobState.ERROR, True)
    assert await store.count_items("w", "j") == {ItemState.RELEASED: 50}
    assert [type(event) for event in published] == [JobReported, DeadLetter]
    assert len(script.requests) == 1


def vectors(body: dict[str, Any]) -> httpx2.Response:
    """Of each text its length and 1, as a vector."""
    rows = [{"index": at, "embedding": [float(len(text)), 1.0]} for at, text in enumerate(body["input"])]
    return httpx2.Response(200, json={"data": rows, "usage": {"prompt_tokens": len(rows)}})


class TestVectors:
    def asker(self, store: CountingStore, llm: Llm) -> Asker:
        return Asker(store, llm, PRICES)

    async def test_each_text_is_paid_once_and_rows_have_the_order_of_the_texts(
        self, store: CountingStore, bench: Bench
    ) -> None:
        script = Script(vectors)
        asker = self.asker(store, bench(script))
        first = await asker.embed(SUMMARY, ["aaa", "", "aaa"], "e")
        again = await asker.embed(SUMMARY, ["a", "aaa"], "e")
        assert [body["input"] for body in script.bodies] == [["aaa", " "], ["a"]]
        assert first.shape == (3, 2)
        assert first.dtype == np.float32
        assert np.array_equal(first[0], again[1])
        assert again[0] == pytest.approx([0.5**0.5, 0.5**0.5])

    async def test_what_came_before_a_failure_is_kept(self, store: CountingStore, bench: Bench) -> None:
        replies: list[Reply] = [vectors, failure(400, code="content_filter"), vectors]
        script = Script(*replies)
        asker = self.asker(store, bench(script))
        texts = [f"text {number}" for number in range(TEXTS + 9)]
        with pytest.raises(AnswerError):
            await asker.embed(SUMMARY, texts, "e")
        assert (await asker.embed(SUMMARY, texts, "e")).shape == (len(texts), 2)
        assert [len(body["input"]) for body in script.bodies] == [TEXTS, 9, 9]

    async def test_no_texts_are_no_call(self, store: CountingStore, bench: Bench) -> None:
        script = Script(vectors)
        assert (await self.asker(store, bench(script)).embed(SUMMARY, [], "e")).shape == (0, 0)
        assert script.requests == []

    async def test_kept_vectors_of_another_length_say_what_to_do(self, store: CountingStore, bench: Bench) -> None:
        asker = self.asker(store, bench(Script(vectors)))
        await asker.keep(SUMMARY, {key_of("vector", "e", "old"): np.ones(3, "<f4").tobytes()})
        with pytest.raises(JobError, match="insights cache clear"):
            await asker.embed(SUMMARY, ["old", "new"], "e")

    async def test_a_budget_holds_for_them(self, store: CountingStore, bench: Bench) -> None:
        prices = Prices(as_of=PRICES.as_of, models={"e": Price(input=10_000, cached_input=10_000)})
        script = Script(vectors)
        with pytest.raises(BudgetError):
            await Asker(store, bench(script), prices).embed(within(0.1, Stage.VECTORS), ["word " * 50], "e")
        assert script.requests == []
