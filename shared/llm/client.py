"""The client of one endpoint: a question in, checked JSON out; texts in, vectors out.

It alone tries a model's call again. What it raises: AnswerError ends the item, JobError the job, ModelAwayError (an
UnavailableError) makes delivery wait without counting a try. See `verdicts.py` for which error leads to which.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared import metrics
from shared.errors import AnswerError, JobError, ModelAwayError
from shared.features import Array
from shared.llm.dialect import Dialect
from shared.llm.endpoint import Endpoint
from shared.llm.reply import EmptyError, GarbledError, Reply, extract, read_completion, read_reply, usage_of
from shared.llm.request import Answer, Message, Request
from shared.llm.retry import FailedError, Retries, asked_wait
from shared.llm.shape import ShapeError
from shared.llm.transport import Transport
from shared.llm.usage import Usage
from shared.llm.vectors import batches, read_vectors, stacked
from shared.llm.verdicts import Verdict, judge, unsent

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
CONCURRENCY = 32
ATTEMPTS = 5
SECONDS = 240.0  # of all attempts of one call
LONGEST_REST = 600.0  # seconds that an endpoint is left alone, whatever it asks for
SHOWN = 4_000  # characters of a bad answer that the model is shown again
ENDS = {Verdict.ITEM: AnswerError, Verdict.JOB: JobError, Verdict.BUSY: ModelAwayError}

Paid = Callable[[Usage], None]
Admit = Callable[[], Awaitable[None]]


def _nobody(usage: Usage) -> None:
    """Nobody keeps the books."""


class Llm:
    """`concurrency` is where the number of calls at once starts; then the endpoint's refusals decide.

    Each answer's usage goes to `paid` as it comes, also of an answer that cannot be used, and of a call that was cut
    off: what a caller writes there is complete even when a call is cancelled or fails later. Once something was paid,
    `admit` is awaited before each further attempt; what it raises ends the question.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        concurrency: int = CONCURRENCY,
        attempts: int = ATTEMPTS,
        seconds: float = SECONDS,
        http: "httpx2.AsyncClient | None" = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._transport = Transport(endpoint, concurrency, http)
        self._retries = Retries(attempts, seconds, sleep, clock, lambda: datetime.now(UTC))
        self._dialects: dict[str, Dialect] = {}
        self.trouble: str | None = None  # why the endpoint does not answer now; None once it does

    @property
    def endpoint(self) -> Endpoint:
        return self._transport.endpoint

    @property
    def limit(self) -> int:
        """Calls that may be in flight at present."""
        return self._transport.limiter.limit

    async def ask(self, request: Request, paid: Paid = _nobody, admit: Admit | None = None) -> Answer:
        """An answer of the request's shape; one that cannot be used is asked for once more, with what is wrong with it.

        AnswerError, JobError, ModelAwayError: as above, with a sentence.
        """
        begun = monotonic()
        dialect = self._dialects.setdefault(request.model, Dialect(request.model))
        books = _Books(paid, dialect.refusals, admit)
        messages = request.messages
        for repaired in (False, True):
            reply = await self._persist(partial(self._attempt, request, messages, dialect, books), dialect, books)
            try:
                value = _value(reply, request)
            except ShapeError as error:
                metrics.MODEL_CALLS.labels("invalid").inc()
                if repaired:
                    raise AnswerError(f"The model's answer could not be used, nor its second one: {error}") from None
                messages = _repair(request, reply, str(error))
            else:
                dialect.fitted(told=repaired)
                milliseconds = round((monotonic() - begun) * 1_000)
                return Answer(value, books.usage, books.attempts, request.model, milliseconds)
        raise AssertionError("the second answer is returned or raised for")

    async def embed(self, texts: Sequence[str], model: str, paid: Paid = _nobody) -> tuple[Array, Usage]:
        """float32 (n, dimensions of the model), unit rows in the order of the texts; and what they took.

        Of each text the first 8,000 characters count. The same errors as of `ask`.
        """
        dialect = self._dialects.setdefault(model, Dialect(model))
        books = _Books(paid, dialect.refusals)
        found = [
            await self._persist(partial(self._embed, batch, model, books), dialect, books) for batch in batches(texts)
        ]
        return stacked(found), books.usage

    async def close(self) -> None:
        await self._transport.close()

    async def _attempt(
        self, request: Request, messages: tuple[Message, ...], dialect: Dialect, books: "_Books"
    ) -> Reply:
        """One call; and at once another without what the endpoint says it does not know."""
        async with dialect.turn():
            with books.call():
                body = await self._send(dialect, lambda: dialect.arguments(request, messages), books)
                reply = read_reply(body, request)
            books.enter(reply.usage)
            if not reply.content.strip() and not reply.refusal and reply.finish_reason in (None, "stop"):
                raise EmptyError
            return reply

    async def _send(self, dialect: Dialect, arguments: Callable[[], dict[str, Any]], books: "_Books") -> bytes:
        from openai import APIStatusError

        while True:  # each round leaves out at least one of the few features
            sent = arguments()
            dialect.check(books.refusals)  # many may have waited for their turn while the first was told no
            books.attempts += 1
            try:
                return await self._transport.chat(sent)
            except APIStatusError as error:
                ruling = judge(error, self.endpoint)
                if ruling.verdict is Verdict.JOB:
                    dialect.refuse_all(ruling.sentence)
                if not ruling.unexplained or not dialect.learn(error, sent):
                    raise

    async def _embed(self, texts: Sequence[str], model: str, books: "_Books") -> Array:
        with books.call():
            body = await self._transport.embeddings({"model": model, "input": list(texts), "encoding_format": "float"})
            vectors, usage = read_vectors(body, texts)
        books.enter(usage)
        return vectors

    async def _persist(self, call: Callable[[], Awaitable[T]], dialect: Dialect, books: "_Books") -> T:
        """Until it succeeds, or is worth no further try."""
        if (left := dialect.closed_until - self._retries.clock()) > 0:
            raise ModelAwayError(f"{self.endpoint.name} asked to be left alone, for {left:.0f} s more.")
        try:
            found = await self._retries(partial(self._admitted, call, books))
        except FailedError as error:
            ruling = error.ruling
        else:
            self.trouble = None
            return found
        verdict = ruling.verdict
        if verdict is Verdict.AGAIN:
            others = ruling.about_content or await self._answers(dialect, books)
            verdict = Verdict.ITEM if others else Verdict.BUSY
        self.trouble = ruling.sentence if verdict is Verdict.BUSY else None
        if verdict is Verdict.BUSY:  # who tries again after that, such as delivery, must wait as well
            asked = asked_wait(ruling, self._retries.now()) or 0.0
            dialect.closed_until = self._retries.clock() + min(asked, LONGEST_REST)
        raise ENDS[verdict](ruling.sentence)

    async def _admitted(self, call: Callable[[], Awaitable[T]], books: "_Books") -> T:
        """One attempt. It waits to be admitted before it has its place, which another may need that it waits for."""
        if books.admit and books.entered:
            await books.admit()
        return await self._transport.attempt(call)

    async def _answers(self, dialect: Dialect, books: "_Books") -> bool:
        """Whether the endpoint answers the cheapest question, so that it is not away: it fails on the item."""

        async def ask() -> None:
            completion = read_completion(await self._transport.chat(dialect.small_talk()))
            books.enter(usage_of(completion.usage) or Usage(estimated=True))

        try:
            await self._transport.attempt(ask)
        except FailedError as error:
            return error.ruling.verdict in (Verdict.ITEM, Verdict.JOB)
        return True


class _Books:
    """What one question took; `refusals` of the dialect when it began."""

    def __init__(self, paid: Paid, refusals: int, admit: Admit | None = None) -> None:
        self.refusals, self.admit = refusals, admit
        self.usage = Usage()
        self.attempts = self.entered = 0
        self._paid = paid

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around a call: one whose answer does not come is on the bill, too, without what it took."""
        from openai import APIConnectionError

        try:
            yield
        except (APIConnectionError, asyncio.CancelledError, TimeoutError, GarbledError) as error:
            if not unsent(error):
                self.enter(Usage(cut=1))
            raise

    def enter(self, usage: Usage) -> None:
        self.usage += usage
        self.entered += 1
        for kind in ("input", "cached", "output"):
            metrics.MODEL_TOKENS.labels(kind).inc(getattr(usage, kind))
        self._paid(usage)


def _value(reply: Reply, request: Request) -> dict[str, Any]:
    """The checked JSON. ShapeError: ask once more. AnswerError: that would not help."""
    if reply.refusal:
        raise AnswerError(f"The model refused to answer: {reply.refusal[:200]}")
    if reply.finish_reason == "content_filter":
        raise AnswerError("The model's answer was withheld by a content filter.")
    if reply.finish_reason == "length":
        raise ShapeError("It was cut off, for it was too long. Be much shorter.")
    return request.shape.check(extract(reply.content))


def _repair(request: Request, reply: Reply, problem: str) -> tuple[Message, ...]:
    """The same question, the bad answer, and what is wrong with it."""
    shown = (Message("assistant", reply.content[:SHOWN]),) if reply.content else ()
    wrong = f"This answer cannot be used. {problem}\n{request.shape.instruction}"
    return (*request.messages, *shown, Message("user", wrong))
