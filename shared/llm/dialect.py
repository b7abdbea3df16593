"""What an endpoint takes of the API for one model: guessed from the model's name, then learnt from its refusals.

The first call to a model is alone until one was answered, so that of many calls that begin together only one meets the
refusals. An endpoint that takes a schema and ignores it never refuses: it is known by its first IGNORED good answers,
if each came only after the schema was told in words. One that ever held to a schema is trusted, so that what is sent
for an item does not hang on how others went.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.errors import JobError
from shared.llm.prices import bare_name
from shared.llm.request import Message, Request
from shared.llm.usage import Usage
from shared.llm.verdicts import message_of

if TYPE_CHECKING:
    from openai import APIStatusError

log = logging.getLogger(__name__)

IGNORED = 4
THOUGHTS = 4_000  # tokens that a model that reasons may take before its answer, at low effort
THOUGHTS_EXPECTED = 128  # that it takes
LOOKED_AT = 2_000  # characters of a refusal
_REASONS = re.compile(r"o\d(-|$)|gpt-([5-9]|1\d)([.-]|$)(?!chat)")

# What may be refused, by the words that a refusal names it with.
FEATURES = {
    "json_schema": ("response_format", "json_schema", "response format", "structured output"),
    "json_object": ("response_format", "json_object", "response format", "structured output"),
    "max_completion_tokens": ("max_completion_tokens",),
    "max_tokens": ("max_tokens",),
    "reasoning_effort": ("reasoning_effort", "reasoning effort", "reasoning.effort"),
    "temperature": ("temperature",),
    "seed": ("seed",),
}


class Dialect:
    """Of one model at one endpoint."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.room = room(model)
        self.reasons = self.room > 0
        self.settled = False
        self.refusals = 0  # how often the endpoint said no to the key or to the model, whatever it was asked
        self.closed_until = 0.0  # monotonic seconds: until then the endpoint asked to be left alone
        self._refused: set[str] = set()
        self._only_when_told = 0
        self._first = asyncio.Lock()
        self._last_refusal = ""

    def refuse_all(self, sentence: str) -> None:
        """The endpoint would say no to every question."""
        self.refusals += 1
        self._last_refusal = sentence

    def check(self, refusals: int) -> None:
        """JobError for a question that began when there were so many refusals, if there was one more since then."""
        if self.refusals > refusals:
            raise JobError(self._last_refusal)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Alone, until one call was answered well."""
        if not self.settled:
            async with self._first:
                if not self.settled:
                    yield
                    return
        yield

    def form(self) -> str | None:
        return next((form for form in ("json_schema", "json_object") if form not in self._refused), None)

    def arguments(self, request: Request, messages: tuple[Message, ...]) -> dict[str, Any]:
        """Of a chat completion."""
        form = self.form()
        if form != "json_schema":
            messages = instructed(messages, request.shape.instruction)
        arguments = {
            **self._shared(request.max_output_tokens + self.room),
            "messages": [message.wire() for message in messages],
        }
        if form is not None:
            arguments["response_format"] = (
                request.shape.response_format if form == "json_schema" else {"type": "json_object"}
            )
        if self.reasons and request.effort is not None and "reasoning_effort" not in self._refused:
            arguments["reasoning_effort"] = request.effort
        if request.seed is not None and "seed" not in self._refused:
            arguments["seed"] = request.seed
        return arguments

    def small_talk(self) -> dict[str, Any]:
        """Arguments of the cheapest question."""
        return {**self._shared(16), "messages": [{"role": "user", "content": "Answer with the word yes."}]}

    def _shared(self, limit: int) -> dict[str, Any]:
        arguments: dict[str, Any] = {"model": self.model}
        names = ("max_completion_tokens", "max_tokens") if self.reasons else ("max_tokens", "max_completion_tokens")
        if name := next((name for name in names if name not in self._refused), None):
            arguments[name] = limit
        if not self.reasons and "temperature" not in self._refused:
            arguments["temperature"] = 0
        return arguments

    def learn(self, error: "APIStatusError", sent: Mapping[str, Any]) -> bool:
        """True if the refusal is about something that was sent and from now on will not be."""
        sent_features = {name for name in FEATURES if name in sent} | _form_of(sent)
        for text in (error.param or "", message_of(error)[:LOOKED_AT]):
            named = {name for name in sent_features if any(word in text.lower() for word in FEATURES[name])}
            if named:
                self._refuse(named)
                return True
        return False

    def fitted(self, *, told: bool) -> None:
        """An answer had its shape. `told`: the schema stood in the prompt, after an answer that missed it."""
        if self.settled or not told or self.form() != "json_schema":
            self.settled = True
            return
        self._only_when_told += 1
        if self._only_when_told >= IGNORED:
            self._refuse({"json_schema"})

    def _refuse(self, named: set[str]) -> None:
        if new := named - self._refused:
            self._refused |= new
            log.info("%s does without %s.", self.model, ", ".join(sorted(new)))


def room(model: str) -> int:
    """Tokens for thoughts, beside the answer's own."""
    return THOUGHTS if _REASONS.match(bare_name(model)) else 0


def most(request: Request) -> Usage:
    """What one call takes at most, by the estimate of its prompt."""
    return Usage(input=request.estimated_input(), output=request.max_output_tokens + room(request.model))


def likely(request: Request) -> Usage:
    """What one call may be expected to take: an answer is about half as long as it may be."""
    thoughts = THOUGHTS_EXPECTED if room(request.model) else 0
    return Usage(input=request.estimated_input(), output=request.max_output_tokens // 2 + thoughts)


def instructed(messages: tuple[Message, ...], instruction: str) -> tuple[Message, ...]:
    """With the instruction at the end of the first system message, or as one before all others."""
    if messages and messages[0].role == "system":
        return (Message("system", f"{messages[0].content}\n\n{instruction}"), *messages[1:])
    return (Message("system", instruction), *messages)


def _form_of(sent: Mapping[str, Any]) -> set[str]:
    return {sent["response_format"]["type"]} if "response_format" in sent else set()
