"""One attempt of one call over HTTP, in its place among others, with its time limit. The only user of `AsyncOpenAI`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import httpx2
from openai import APIError, AsyncOpenAI, Omit

from shared import metrics
from shared.llm.endpoint import Endpoint
from shared.llm.limiter import Limiter
from shared.llm.reply import EmptyError, GarbledError
from shared.llm.retry import FailedError
from shared.llm.verdicts import judge

T = TypeVar("T")
CONNECT_SECONDS = 10.0
TALKATIVE = ("httpx2", "httpcore2", "openai")  # below WARNING they log each URL, with what is secret in it
NO_KEY = "none"  # the client insists on one; it is not sent


class Transport:
    """To one endpoint. `http` is for tests."""

    def __init__(self, endpoint: Endpoint, concurrency: int, http: httpx2.AsyncClient | None = None) -> None:
        self.endpoint = endpoint
        self.limiter = Limiter(concurrency)
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        opened = endpoint.secret or any(name.lower() == "authorization" for name in endpoint.headers)
        self._each_call: dict[str, Any] = {} if opened else {"extra_headers": {"Authorization": Omit()}}
        self._client = AsyncOpenAI(
            api_key=endpoint.secret or NO_KEY,
            base_url=endpoint.url,
            default_query=endpoint.query or None,
            default_headers=endpoint.headers,
            timeout=httpx2.Timeout(endpoint.timeout, connect=min(CONNECT_SECONDS, endpoint.timeout)),
            max_retries=0,  # ours: they know of Retry-After beyond a minute, and of the number of calls at once
            http_client=http,
        )
        # The client reads OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS, for whatever address it is given.
        self._client.organization = self._client.project = None
        self._client._custom_headers = dict(endpoint.headers)

    async def chat(self, arguments: dict[str, Any]) -> bytes:
        """The body of a chat completion. OpenAI's errors, or TimeoutError."""
        create = self._client.chat.completions.with_raw_response.create
        return await self._timed(lambda: create(**arguments, **self._each_call))

    async def embeddings(self, arguments: dict[str, Any]) -> bytes:
        """The body of an answer with vectors. The same errors."""
        create = self._client.embeddings.with_raw_response.create
        return await self._timed(lambda: create(**arguments, **self._each_call))

    async def attempt(self, call: Callable[[], Awaitable[T]]) -> T:
        """`call`, in its turn. FailedError says what follows from a failure; it shows no secret."""
        async with self.limiter.slot() as epoch:
            try:
                answer = await call()
            except (APIError, TimeoutError, GarbledError, EmptyError) as error:
                ruling = judge(error, self.endpoint)
                if ruling.too_many:
                    self.limiter.refused(epoch)
                metrics.MODEL_CALLS.labels(ruling.verdict.value).inc()
                raise FailedError(ruling) from None
        metrics.MODEL_CALLS.labels("answered").inc()
        self.limiter.answered()
        return answer

    async def close(self) -> None:
        await self._client.close()

    async def _timed(self, send: Callable[[], Awaitable[Any]]) -> bytes:
        begun = monotonic()
        try:
            async with asyncio.timeout(self.endpoint.timeout):  # httpx's own limits are for each read
                response = await send()
        finally:
            metrics.MODEL_SECONDS.observe(monotonic() - begun)
        body: bytes = response.content
        return body
