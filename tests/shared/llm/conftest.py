"""A scripted endpoint, reached over OpenAI's client without a socket; waiting takes no time and is written down."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from shared.llm import Endpoint, Llm, Message, Request, Shape

Reply = httpx2.Response | Exception | Callable[[dict[str, Any]], httpx2.Response | Awaitable[httpx2.Response]]
SHAPE = Shape("note", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})
GOOD = '{"text": "fine"}'
KEY = "sk-very-secret-key"
LOCAL = "http://model.test/v1"


def completion(content: str | None = GOOD, *, finish: str = "stop", **fields: Any) -> httpx2.Response:
    """A 200 with usage of 100 input tokens, 40 of them cached, and 20 of output, unless `fields` say otherwise."""
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}
    message = {"role": "assistant", "content": content} | fields.pop("message", {})
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return httpx2.Response(
        200, json={"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage} | fields
    )


def failure(
    status: int, message: str = "no", *, headers: Mapping[str, str] | None = None, **fields: Any
) -> httpx2.Response:
    """An error in OpenAI's form; `fields` are its code, type and param."""
    return httpx2.Response(status, json={"error": {"message": message, **fields}}, headers=headers)


class Script:
    """Answers in turn; the last one for ever. Holds every request as it was sent."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[httpx2.Request] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx2.Response):
            return httpx2.Response(reply.status_code, content=reply.content, headers=reply.headers)
        answer = reply(json.loads(request.content))
        return answer if isinstance(answer, httpx2.Response) else await answer


class Waits(list[float]):
    """Stands for sleep and clock: time passes only by waiting."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)

    def clock(self) -> float:
        return sum(self)


class Bench:
    """A client of a script."""

    def __init__(self) -> None:
        self.waits = Waits()
        self.clients: list[Llm] = []

    def __call__(self, script: Script, endpoint: Endpoint | None = None, **options: Any) -> Llm:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(script))
        chosen = endpoint or Endpoint(LOCAL, SecretStr(KEY))
        llm = Llm(chosen, http=http, sleep=self.waits, clock=self.waits.clock, **options)
        self.clients.append(llm)
        return llm


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for llm in made.clients:
        asyncio.run(llm.close())


def question(model: str = "some-model", text: str = "What is it?", **options: Any) -> Request:
    messages = (Message("system", "You describe."), Message("user", text))
    return Request(model, messages, options.pop("shape", SHAPE), options.pop("max_output_tokens", 300), **options)
