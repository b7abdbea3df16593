"""What becomes of an event, whatever its handler does."""

import asyncio
from typing import Any

import pytest

from shared.bus import Router
from shared.bus.delivery import BODY_LENGTH, TRIES, Delivery
from shared.errors import BudgetError, ItemError, JobError, RefusedError, UnavailableError, UsageError
from shared.events import DeadLetter, Event, ItemEnded, ItemSampled, JobReady, JobReported, JobRequested
from shared.models import ItemState, JobState
from tests.contract.bus_world import FakeStore

ITEM = ItemSampled(workspace_id="w", job_id="j", item_id="i")
JOB = JobReady(workspace_id="w", job_id="j")
HALF = rb'{"workspace_id": "w", "job_id": "j", "item_id": "\ud83d"}'


class Case:
    """One route whose handler raises `errors` in turn, then returns."""

    def __init__(self, event: Event, *errors: BaseException) -> None:
        self.calls = 0
        self.published: list[Event | DeadLetter] = []
        self.store = FakeStore()
        self.refusals: list[Exception] = []
        self._errors = list(errors)
        router = Router("group")

        @router.subscriber(type(event))
        async def handle(event: Event) -> None:
            self.calls += 1
            if self._errors:
                raise self._errors.pop(0)

        dependencies: dict[str, Any] = {"store": self.store, "publish": self.publish}
        self.deliver = Delivery(router.routes[0], dependencies, longest_wait=0.001)

    async def publish(self, event: Event | DeadLetter) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        event.model_dump_json().encode()  # what a bus does with it
        self.published.append(event)

    @property
    def letters(self) -> list[DeadLetter]:
        return [event for event in self.published if isinstance(event, DeadLetter)]


def encoded(event: Event) -> bytes:
    return event.model_dump_json().encode()


async def test_a_handler_that_returns_leaves_nothing_behind() -> None:
    case = Case(ITEM)
    await case.deliver(encoded(ITEM))
    assert (case.calls, case.published, case.store.items) == (1, [], {})


async def test_a_refusal_is_tried_again_and_dies_after_the_last_try() -> None:
    saved, dead = Case(ITEM, *[RefusedError("No.")] * (TRIES - 1)), Case(ITEM, *[RefusedError("No.")] * TRIES)
    await saved.deliver(encoded(ITEM))
    await dead.deliver(encoded(ITEM))
    assert (saved.calls, saved.letters) == (TRIES, [])
    assert (dead.calls, dead.letters[0].attempts, dead.letters[0].reason) == (TRIES, TRIES, "No.")


async def test_waiting_for_what_is_away_uses_up_no_try() -> None:
    away = [UnavailableError("Away.")] * (3 * TRIES)
    case = Case(ITEM, *away, RefusedError("No."), *away, RefusedError("No."))
    await case.deliver(encoded(ITEM))
    assert (case.calls, case.letters) == (6 * TRIES + 3, [])


async def test_any_other_error_is_not_tried_again() -> None:
    for error, reason in [(ItemError("Bad trace."), "Bad trace."), (ValueError("x"), "ValueError: x")]:
        case = Case(ITEM, error)
        await case.deliver(encoded(ITEM))
        assert (case.calls, case.letters[0].reason, case.letters[0].attempts) == (1, reason, 1)


async def test_a_dead_item_event_ends_its_item_before_it_becomes_a_dead_letter() -> None:
    case = Case(ITEM, ItemError("Bad trace."))
    await case.deliver(encoded(ITEM))
    assert case.store.items == {"i": (ItemState.FAILED, "Bad trace.")}
    assert case.store.jobs == {}
    assert [type(event) for event in case.published] == [ItemEnded, DeadLetter]
    letter = case.letters[0]
    assert (letter.group, letter.source) == ("group", ITEM.topic)
    assert (letter.workspace_id, letter.job_id, letter.item_id) == ("w", "j", "i")


@pytest.mark.parametrize("event", [JOB, ItemEnded(workspace_id="w", job_id="j", item_id="i")])
async def test_a_dead_event_of_a_job_ends_the_job_in_error(event: Event) -> None:
    """item.ended too: if nobody can look after the job, it must not hang."""
    case = Case(event, JobError("Nothing to sort."))
    await case.deliver(encoded(event))
    assert case.store.jobs == {"j": (JobState.ERROR, "Nothing to sort.")}
    assert case.store.items == {}
    assert [type(event) for event in case.published] == [JobReported, DeadLetter]


async def test_a_job_error_of_an_item_ends_the_job_and_the_items_behind_it_end_without_a_word() -> None:
    """A wrong key is one failure, not one for each of a thousand items."""
    case = Case(ITEM, *[JobError("The key is wrong.")] * 5)
    items = [ItemSampled(workspace_id="w", job_id="j", item_id=str(number)) for number in range(5)]
    await asyncio.gather(*(case.deliver(encoded(item)) for item in items))
    assert case.store.jobs == {"j": (JobState.ERROR, "The key is wrong.")}
    assert case.store.items == {}
    assert [type(event) for event in case.published] == [JobReported, DeadLetter]


async def test_of_a_job_that_another_process_ended_the_end_is_announced_again_and_nothing_is_dead() -> None:
    """That process may have died before it announced it."""
    case = Case(ITEM, *[JobError("The job has ended.")] * 3)
    case.store.jobs["j"] = (JobState.ERROR, "The key is wrong.")
    for _ in range(3):
        await case.deliver(encoded(ITEM))
    assert (case.store.items, case.letters) == ({}, [])
    assert [type(event) for event in case.published] == [JobReported]


async def test_a_job_error_is_announced_and_buried_however_often_the_bus_refuses_it() -> None:
    case = Case(ITEM, JobError("The key is wrong."))
    case.refusals = [RefusedError("No."), UnavailableError("Away.")] * (2 * TRIES)
    await case.deliver(encoded(ITEM))
    assert [type(event) for event in case.published] == [JobReported, DeadLetter]


async def test_an_item_that_the_budget_does_not_pay_is_left_out_and_is_no_dead_letter() -> None:
    case = Case(ITEM, BudgetError("The budget of $2.00 is used up."))
    await case.deliver(encoded(ITEM))
    assert case.store.items == {"i": (ItemState.LEFT_OUT, "The budget of $2.00 is used up.")}
    assert case.store.jobs == {}
    assert [type(event) for event in case.published] == [ItemEnded]


async def test_a_job_that_cannot_end_within_its_budget_ends_in_error() -> None:
    case = Case(JOB, BudgetError("The budget of $2.00 is used up."))
    await case.deliver(encoded(JOB))
    assert case.store.jobs == {"j": (JobState.ERROR, "The budget of $2.00 is used up.")}
    assert len(case.letters) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"workspace_id": 1}', b"\xff\xfe", b'{"a":' * 5_000, HALF]
)
async def test_what_is_no_event_never_reaches_the_handler(body: bytes) -> None:
    case = Case(ITEM)
    await case.deliver(body)
    assert case.calls == 0
    assert case.letters[0].body == body[:BODY_LENGTH].decode(errors="replace")
    assert ITEM.topic in case.letters[0].reason
    assert case.letters[0].job_id is None


async def test_unknown_fields_are_ignored() -> None:
    """A newer process may publish them."""
    case = Case(ITEM)
    await case.deliver(b'{"workspace_id": "w", "job_id": "j", "item_id": "i", "new": {"a": 1}}')
    assert (case.calls, case.letters) == (1, [])


async def test_a_dead_letter_is_published_however_often_the_bus_refuses_it() -> None:
    case = Case(ITEM, ItemError("Bad trace."))
    case.refusals = [RefusedError("No."), UnavailableError("Away.")] * (2 * TRIES)
    await case.deliver(encoded(ITEM))
    assert len(case.letters) == 1


async def test_a_defect_in_the_store_is_not_hidden() -> None:
    """What can not be buried must come again: the bus is told."""
    case = Case(ITEM, ItemError("Bad trace."))
    case.store.error = ZeroDivisionError("a defect")
    with pytest.raises(ZeroDivisionError):
        await case.deliver(encoded(ITEM))


async def test_a_cancelled_event_is_neither_dead_nor_done() -> None:
    case = Case(ITEM, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await case.deliver(encoded(ITEM))
    assert (case.published, case.store.items) == ([], {})


@pytest.mark.parametrize("event", [ITEM, JOB, JobRequested(workspace_id="w", job_id="j")])
@pytest.mark.parametrize("error", [ItemError("half \ud83d"), ValueError("half \ud83d")])
async def test_a_reason_with_half_a_character_can_be_buried(event: Event, error: Exception) -> None:
    """It may quote a trace; an event that cannot be buried comes again for ever."""
    case = Case(event, error)
    await case.deliver(encoded(event))
    assert case.letters[0].reason.endswith("half \ufffd")


async def test_a_dead_request_that_no_job_came_of_is_answered_before_it_becomes_a_dead_letter() -> None:
    """Its program waits for job.reported, and reads no dead letters."""
    event = JobRequested(workspace_id="w", job_id="j", project="nope", config={})
    case = Case(event, UsageError("There is no project."))
    case.store.missing = True
    await case.deliver(encoded(event))
    answer = JobReported(workspace_id="w", job_id="j", status="error", error="There is no project.")
    assert case.published == [answer, *case.letters]
    assert len(case.letters) == 1


async def test_any_other_dead_event_of_a_job_that_is_not_there_is_not_answered() -> None:
    """The job was deleted: nobody waits for it."""
    case = Case(JOB, JobError("Nothing to sort."))
    case.store.missing = True
    await case.deliver(encoded(JOB))
    assert case.published == case.letters
