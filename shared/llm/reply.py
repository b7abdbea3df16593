"""What an endpoint sent back, read with distrust: any field may be missing or of another kind."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from shared.llm.request import Request
from shared.llm.shape import ShapeError
from shared.llm.tokens import estimate_tokens
from shared.llm.usage import Usage

LONGEST_BODY = 64_000_000  # bytes: 256 vectors of 3,072 numbers are 20 million
LONGEST_ANSWER = 400_000  # characters
Count = Annotated[int, Field(ge=0, le=10**12)]


class GarbledError(Exception):
    """A body that is not what the API promises, such as half of one."""


class EmptyError(Exception):
    """An answer without a word."""


class _Details(BaseModel):
    cached_tokens: Count | None = None


class _Usage(BaseModel):
    prompt_tokens: Count
    completion_tokens: Count = 0
    prompt_tokens_details: _Details | None = None


class _Part(BaseModel):
    text: str = ""


class _Message(BaseModel):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class Completion(BaseModel):
    """What is read of a chat completion."""

    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, before it is checked."""

    content: str
    refusal: str | None
    finish_reason: str | None
    usage: Usage


def read_reply(body: bytes, request: Request) -> Reply:
    """The first choice of a chat completion. GarbledError: it is none."""
    completion = read_completion(body)
    choice = completion.choices[0]
    content = choice.message.content or ""
    text = content if isinstance(content, str) else "".join(part.text for part in content)
    usage = usage_of(completion.usage) or Usage(request.estimated_input(), 0, estimate_tokens(text), estimated=True)
    return Reply(text, choice.message.refusal, choice.finish_reason, usage)


def read_completion(body: bytes) -> Completion:
    """GarbledError: it is none."""
    try:
        return Completion.model_validate(parsed(body))
    except ValidationError:
        raise GarbledError from None


def parsed(body: bytes) -> Any:
    """GarbledError: it is not JSON, or too much of it."""
    if len(body) > LONGEST_BODY:
        raise GarbledError
    try:
        return from_json(body, cache_strings="keys")
    except ValueError:
        raise GarbledError from None


def usage_of(value: Any) -> Usage | None:
    """As reported; None where it isn't, or makes no sense."""
    try:
        usage = _Usage.model_validate(value)
    except ValidationError:
        return None
    cached = (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0
    return Usage(usage.prompt_tokens, min(cached, usage.prompt_tokens), usage.completion_tokens)


def extract(text: str) -> Any:
    """The JSON of an answer, also after a model's thoughts, amid words, or in a fence. ShapeError: there is none."""
    if len(text) > LONGEST_ANSWER:
        raise ShapeError("It is too long.")
    said = text.rpartition("</think>")[2]
    between_braces = said[said.find("{") : said.rfind("}") + 1]
    fenced = said.partition("```json")[2].partition("```")[0]
    problem = "it holds no JSON object."
    for candidate in (text, between_braces, fenced):
        try:
            if candidate.strip():
                return from_json(candidate, allow_inf_nan=False)
        except ValueError as error:
            problem = str(error)
    raise ShapeError(f"It is not JSON: {problem}")
