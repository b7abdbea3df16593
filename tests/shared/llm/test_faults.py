"""Of many questions to an endpoint with every fault of an item, each ends as it would without the others."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2

from shared.errors import AnswerError
from shared.llm import Request
from tests.shared.llm.conftest import Bench, Script, completion, failure, question

ITEMS = 120
PASSING: list[Callable[[], httpx2.Response]] = [
    lambda: failure(429),
    lambda: failure(429, headers={"retry-after": "3"}),
    lambda: failure(500),
    lambda: failure(503),
    lambda: completion('{"text": "ha'),
    lambda: completion('{"txet": "x"}'),
    lambda: completion(""),
    lambda: httpx2.Response(200, content=b'{"choi'),
]
LASTING: list[Callable[[], httpx2.Response]] = [
    lambda: completion(None, message={"refusal": "no"}),
    lambda: failure(400, code="content_filter"),
    lambda: failure(400, code="context_length_exceeded"),
    lambda: completion('{"text": 1}'),
    lambda: completion(""),
    lambda: failure(500),
]


def faulty() -> Any:
    """Each twentieth item meets one fault once, or one for ever; answers say which item they are for."""
    seen: Counter[int] = Counter()

    def answer(body: dict[str, Any]) -> httpx2.Response:
        item = item_of(body)
        if item is None:
            return completion("yes")
        seen[item] += 1
        place = item % 20
        if place < len(PASSING) and seen[item] == 1:
            return PASSING[place]()
        if 0 <= place - len(PASSING) < len(LASTING):
            return LASTING[place - len(PASSING)]()
        return completion(json.dumps({"text": f"item {item}"}))

    return answer


def item_of(body: dict[str, Any]) -> int | None:
    found = [message["content"] for message in body["messages"] if message["content"].startswith("Item ")]
    return int(found[0].split()[1]) if found else None


async def outcome(ask: Callable[[Request], Any], item: int) -> str:
    try:
        answer = await ask(question(text=f"Item {item}"))
    except AnswerError as error:
        return f"failed: {error}"
    return str(answer.value["text"])


async def test_each_item_ends_by_its_own_fault(bench: Bench) -> None:
    llm = bench(Script(faulty()))

    ended = await asyncio.gather(*(outcome(llm.ask, item) for item in range(ITEMS)))

    for item, text in enumerate(ended):
        lasting = 0 <= item % 20 - len(PASSING) < len(LASTING)
        assert text.startswith("failed: ") if lasting else text == f"item {item}", (item, text)


async def test_what_was_sent_for_an_item_does_not_hang_on_the_order(bench: Bench) -> None:
    sent = []
    for order in (range(ITEMS), reversed(range(ITEMS))):
        script = Script(faulty())
        llm = bench(script)
        await asyncio.gather(*(outcome(llm.ask, item) for item in order))
        sent.append({json.dumps(body, sort_keys=True) for body in script.bodies})

    assert sent[0] == sent[1]
