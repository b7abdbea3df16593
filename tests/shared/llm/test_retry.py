"""A call is tried again when the endpoint says, else after a growing random time; never for ever."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import AnswerError, ModelAwayError
from shared.llm import Endpoint, Usage
from shared.llm.retry import asked_wait
from shared.llm.verdicts import Ruling, Verdict
from tests.shared.llm.conftest import LOCAL, Bench, Script, completion, failure, question

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("retry_after", "milliseconds", "seconds"),
    [
        ("7", None, 7.0),
        ("0.5", None, 0.5),
        ("Tue, 24 Nov 2026 12:01:30 GMT", None, 90.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", None, 0.0),
        ("60", "250", 0.25),
        ("60", "soon", 60.0),
        ("-3", None, 0.0),
        ("nan", None, None),
        ("inf", None, None),
        ("soon", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_both_forms_of_retry_after_are_read(
    retry_after: str | None, milliseconds: str | None, seconds: float | None
) -> None:
    assert asked_wait(Ruling(Verdict.BUSY, "", retry_after, milliseconds), NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("name", "value", "least", "most"),
    [("retry-after", "9", 9, 9.5), ("retry-after-ms", "1500", 1.5, 2.0), ("retry-after", "DATE", 28, 30.5)],
)
async def test_the_wait_is_at_least_what_the_endpoint_asks_for(
    bench: Bench, status: int, name: str, value: str, least: float, most: float
) -> None:
    date = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    script = Script(failure(status, headers={name: value.replace("DATE", date)}), completion())

    await bench(script).ask(question())

    assert len(bench.waits) == 1
    assert least <= bench.waits[0] <= most


async def test_without_it_the_waits_are_random_below_a_bound_that_doubles(bench: Bench) -> None:
    with pytest.raises(ModelAwayError):
        await bench(Script(failure(429)), attempts=8, seconds=1e9).ask(question())

    assert len(bench.waits) == 7
    assert all(wait <= min(0.5 * 2**number, 20) for number, wait in enumerate(bench.waits))
    assert len(set(bench.waits)) == 7


async def test_no_try_begins_after_the_total_time(bench: Bench) -> None:
    script = Script(failure(429, headers={"retry-after": "40"}))

    with pytest.raises(ModelAwayError):
        await bench(script, attempts=50, seconds=100.0).ask(question())

    assert len(script.requests) == 3  # at 0, 40 and 80 seconds
    assert sum(bench.waits) < 100


async def test_who_asks_for_more_than_the_total_time_is_away_at_once(bench: Bench) -> None:
    script = Script(failure(429, headers={"retry-after": "86400"}))

    with pytest.raises(ModelAwayError):
        await bench(script).ask(question())
    assert len(script.requests) == 1


async def test_and_is_left_alone_as_long_as_it_asks(bench: Bench) -> None:
    """Delivery tries an event again every few seconds."""
    script = Script(failure(429, headers={"retry-after": "500"}), completion())
    llm = bench(script)
    for _ in range(2):
        with pytest.raises(ModelAwayError):
            await llm.ask(question())
    assert len(script.requests) == 1

    await llm.ask(question("another-model"))
    await bench.waits(500)
    await llm.ask(question())

    assert len(script.requests) == 3


async def test_an_attempt_that_hangs_is_given_up(bench: Bench) -> None:
    async def hang(_: object) -> object:
        return await asyncio.Future()

    script = Script(hang, completion())  # type: ignore[arg-type]
    endpoint = Endpoint(LOCAL, timeout=0.3)  # which the second attempt needs on a busy machine

    assert (await bench(script, endpoint).ask(question())).attempts == 2


async def test_empty_answers_are_paid_and_end_the_item(bench: Bench) -> None:
    script = Script(completion(""))
    paid: list[Usage] = []

    with pytest.raises(AnswerError):
        await bench(script, attempts=3).ask(question(), paid.append)
    assert len(paid) == len(script.requests) == 3
