"""A way to the stand-in endpoint for tests of services, and one that leads nowhere."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from insights.fake_model.options import Options
from shared.asking import Asker
from shared.llm import Endpoint, Llm, Prices
from shared.store import Store
from tests.servers.fake_model import Endpoint as Server
from tests.servers.fake_model import endpoint


class NoLlm(Llm):
    """For what must not ask: whatever is done with it fails the test."""

    def __init__(self) -> None: ...


def no_asker(store: Store) -> Asker:
    return Asker(store, NoLlm(), Prices.load())


@dataclass(frozen=True)
class World:
    """The stand-in, and an asker of it."""

    asker: Asker
    server: Server

    @property
    def requests(self) -> int:
        return int(self.server.stats()["requests"])


@asynccontextmanager
async def asking(store: Store, options: Options | None = None) -> AsyncIterator[World]:
    async with endpoint(options) as server:
        llm = Llm(Endpoint(server.base_url))
        try:
            yield World(Asker(store, llm, Prices.load()), server)
        finally:
            await llm.close()


class Scripted:
    """An endpoint with answers in turn, or made of the data, by the name of the schema; it keeps what it was asked."""

    def __init__(self, **answers: "Sequence[Any] | Callable[[str], Any]") -> None:
        self._answers = {name: several if callable(several) else list(several) for name, several in answers.items()}
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        self.asked.append(body)
        answers = self._answers[body["response_format"]["json_schema"]["name"]]
        value = answers(body["messages"][1]["content"]) if callable(answers) else answers.pop(0)
        choice = {"index": 0, "message": {"role": "assistant", "content": json.dumps(value)}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5}
        return httpx2.Response(200, json={"object": "chat.completion", "choices": [choice], "usage": usage})


@asynccontextmanager
async def scripted(store: Store, script: Scripted) -> AsyncIterator[Asker]:
    llm = Llm(Endpoint("http://model.test/v1"), http=httpx2.AsyncClient(transport=httpx2.MockTransport(script)))
    try:
        yield Asker(store, llm, Prices.load())
    finally:
        await llm.close()
