"""One attempt of one call over HTTP, in its place among others, with its time limit. The only user of `AsyncOpenAI`.

`openai` takes 15 MB: it is imported with the first call, for local jobs make none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared import metrics
from shared.llm.endpoint import Endpoint
from shared.llm.limiter import Limiter
from shared.llm.reply import EmptyError, GarbledError
from shared.llm.retry import FailedError
from shared.llm.verdicts import judge

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

T = TypeVar("T")
CONNECT_SECONDS = 10.0
TALKATIVE = ("httpx2", "httpcore2", "openai")  # below WARNING they log each URL, with what is secret in it
NO_KEY = "none"  # the client insists on one; it is not sent


class Transport:
    """To one endpoint, opened with the first call. `http` is for tests."""

    def __init__(self, endpoint: Endpoint, concurrency: int, http: "httpx2.AsyncClient | None" = None) -> None:
        self.endpoint = endpoint
        self._http = http
        self.limiter = Limiter(concurrency)
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)

    @cached_property
    def _client(self) -> "AsyncOpenAI":
        from httpx2 import Timeout
        from openai import AsyncOpenAI

        endpoint = self.endpoint
        client = AsyncOpenAI(
            api_key=endpoint.secret or NO_KEY,
            base_url=endpoint.url,
            default_query=endpoint.query or None,
            default_headers=endpoint.headers,
            timeout=Timeout(endpoint.timeout, connect=min(CONNECT_SECONDS, endpoint.timeout)),
            max_retries=0,  # ours: they know of Retry-After beyond a minute, and of the number of calls at once
            http_client=self._http,
        )
        # The client reads OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS, for whatever address it is given.
        client.organization = client.project = None
        client._custom_headers = dict(endpoint.headers)
        return client

    @cached_property
    def _each_call(self) -> dict[str, Any]:
        """Arguments beside the question: without a key none is sent."""
        from openai import Omit

        opened = self.endpoint.secret or any(name.lower() == "authorization" for name in self.endpoint.headers)
        return {} if opened else {"extra_headers": {"Authorization": Omit()}}

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
        from openai import APIError

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
        if "_client" in vars(self):
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
