"""How many calls run at once falls where the endpoint refuses, and rises where it answers."""

import asyncio
from typing import Any

import httpx2

from shared.llm.limiter import Limiter
from tests.shared.llm.conftest import Bench, Script, completion, failure, question


async def test_a_round_of_answers_raises_it_by_about_one() -> None:
    limiter = Limiter(8)
    for _ in range(9):
        limiter.answered()
    assert limiter.limit == 9


async def test_it_never_passes_its_ceiling_nor_falls_below_one() -> None:
    limiter = Limiter(2, ceiling=3)
    for _ in range(100):
        limiter.answered()
    assert limiter.limit == 3

    for _ in range(10):
        async with limiter.slot() as epoch:
            limiter.refused(epoch)
    assert limiter.limit == 1


async def test_refusals_of_calls_in_flight_together_halve_it_once() -> None:
    limiter = Limiter(16)

    async def refused(all_in: asyncio.Barrier) -> None:
        async with limiter.slot() as epoch:
            await all_in.wait()
            limiter.refused(epoch)

    barrier = asyncio.Barrier(10)
    await asyncio.gather(*(refused(barrier) for _ in range(10)))

    assert limiter.limit == 8


async def test_no_more_calls_are_in_flight_than_it_says() -> None:
    limiter = Limiter(4)
    inside = most = 0

    async def call() -> None:
        nonlocal inside, most
        async with limiter.slot():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(call() for _ in range(50)))

    assert most == 4


async def test_an_endpoint_that_takes_few_calls_is_asked_few_at_once_and_every_question_is_answered(
    bench: Bench,
) -> None:
    at_once = 5
    running = 0

    async def limited(_: dict[str, Any]) -> httpx2.Response:
        nonlocal running
        if running >= at_once:
            return failure(429)
        running += 1
        for _turn in range(3):
            await asyncio.sleep(0)
        running -= 1
        return completion()

    script = Script(completion(), limited)
    llm = bench(script, concurrency=64, attempts=30, seconds=1e9)
    await llm.ask(question())

    answers = await asyncio.gather(*(llm.ask(question()) for _ in range(200)))

    assert len(answers) == 200
    assert llm.limit <= 2 * at_once


async def test_a_call_that_waits_to_try_again_leaves_its_place_to_others(bench: Bench) -> None:
    script = Script(completion(), failure(503, headers={"retry-after": "50"}), completion())
    llm = bench(script, concurrency=1)
    await llm.ask(question())
    order: list[str] = []

    async def ask(name: str) -> None:
        await llm.ask(question(text=name))
        order.append(name)

    await asyncio.gather(ask("first"), ask("second"))

    assert order == ["second", "first"]
