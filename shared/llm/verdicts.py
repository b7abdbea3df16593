"""The one table of what goes wrong with a call, and what then happens.

    AGAIN   tried again; if that does not help, the item ends where the endpoint answers others, else that is away
    BUSY    tried again; if that does not help, the endpoint is away
    ITEM    this item ends at once: asking again would be answered the same
    JOB     the job ends at once: no item would be answered

"Away" is ModelAwayError, for which delivery waits without counting a try. An endpoint may repeat a prompt in its
message, which a trace could use to end a job: a row finds its marks in the error's code and type, and in the message's
first MARKED characters.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.llm.endpoint import Endpoint
from shared.llm.reply import EmptyError, GarbledError
from shared.wording import clean

if TYPE_CHECKING:
    from openai import APIStatusError

MARKED = 160  # characters
QUOTED = 300  # characters of what the endpoint said, in a sentence for a person


class Verdict(StrEnum):
    AGAIN = "again"
    BUSY = "busy"
    ITEM = "item"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Row:
    """For an answer of one of the statuses that has one of the marks, if there are any."""

    statuses: Container[int]
    marks: tuple[str, ...]
    verdict: Verdict
    sentence: str


EVERY_FAILURE = range(300, 1_000)
KEY = "{name} refused the key: set OPENAI_API_KEY (or the header it asks for) to a key that is valid there."
QUOTA = "The account at {name} has no quota left: add credit there, or use another key or endpoint, and start again."
MODEL = "{name} has no such model for this key: look for its name there and set it again."
LONG = "This is too long for the model: shorten it by the summary prompt, or choose a model with a larger context."

TABLE = (
    Row({400, 402, 403, 429}, ("insufficient_quota", "billing_", "credit balance"), Verdict.JOB, QUOTA),
    Row({402}, (), Verdict.JOB, QUOTA),
    Row(
        {400, 403, 422},
        ("content_filter", "content_policy", "content management policy", "responsibleai", "moderation", "flagged"),
        Verdict.ITEM,
        "{name} refused this content by its filter.",
    ),
    Row({400, 401, 403}, ("invalid_api_key", "api key not valid", "incorrect api key"), Verdict.JOB, KEY),
    Row(
        {400, 403, 404},
        ("model_not_found", "model not found", "not a valid model", "unknown model", "try pulling it"),
        Verdict.JOB,
        MODEL,
    ),
    Row({404}, ("model",), Verdict.JOB, MODEL),
    Row({401, 403}, (), Verdict.JOB, KEY),
    Row({404, 405}, (), Verdict.JOB, "{name} knows no such address: is the base URL right, with its path such as /v1?"),
    Row(
        {400, 413, 422},
        (
            "context_length",
            "context length",
            "context window",
            "prompt is too long",
            "input is too long",
            "string_above",
        ),
        Verdict.ITEM,
        LONG,
    ),
    Row({429}, ("request too large",), Verdict.ITEM, LONG),  # larger than all that a minute may hold
    Row({413}, (), Verdict.ITEM, "This is too large for {name}."),
    Row({429}, (), Verdict.BUSY, "{name} answers that there are too many calls."),
    Row({408, 409, 425}, (), Verdict.AGAIN, "{name} did not answer in time."),
    Row(range(500, 1_000), (), Verdict.AGAIN, "{name} failed."),
    Row(EVERY_FAILURE, (), Verdict.ITEM, "{name} refused this request."),
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from an error, with a sentence that holds no secret."""

    verdict: Verdict
    sentence: str
    retry_after: str | None = field(default=None, repr=False)  # as the endpoint wrote it
    retry_after_ms: str | None = field(default=None, repr=False)
    too_many: bool = False  # calls at once
    about_content: bool = False  # the endpoint did answer, but nothing
    unexplained: bool = False  # no row but the last knows this refusal: something that was sent may not be known there


def unsent(error: BaseException) -> bool:
    """Whether the endpoint was not reached, so that nobody is paid."""
    from httpx2 import ConnectError, ConnectTimeout, ProxyError, UnsupportedProtocol

    return isinstance(error.__cause__, ConnectError | ConnectTimeout | ProxyError | UnsupportedProtocol)


def judge(error: Exception, endpoint: Endpoint) -> Ruling:
    """The table's verdict; an error that is not about a call is raised again."""
    from openai import APIConnectionError, APIResponseValidationError, APIStatusError, APITimeoutError

    match error:
        case APIStatusError():
            return _by_status(error, endpoint)
        case TimeoutError() | APITimeoutError() if not unsent(error):
            return Ruling(Verdict.AGAIN, f"{endpoint.name} did not answer within {endpoint.timeout:g} s.")
        case APIConnectionError() if unsent(error):
            why = _quoted(str(error.__cause__), endpoint)
            return Ruling(Verdict.BUSY, f"{endpoint.name} cannot be reached (is it running, is the URL right?){why}")
        case APIConnectionError():
            return Ruling(Verdict.AGAIN, f"{endpoint.name} cut the connection.")
        case GarbledError() | APIResponseValidationError():
            return Ruling(Verdict.AGAIN, f"{endpoint.name} sent what is no answer of this API.")
        case EmptyError():
            return Ruling(Verdict.AGAIN, "The model answered nothing.", about_content=True)
    raise error


def _by_status(error: "APIStatusError", endpoint: Endpoint) -> Ruling:
    said = message_of(error)
    marked = f"{error.code} {error.type} {said[:MARKED]}".lower()
    row = next(
        row
        for row in TABLE
        if error.status_code in row.statuses and (not row.marks or any(mark in marked for mark in row.marks))
    )
    headers = error.response.headers
    return Ruling(
        row.verdict,
        row.sentence.format(name=endpoint.name) + f" It said ({error.status_code})" + _quoted(said, endpoint),
        headers.get("retry-after"),
        headers.get("retry-after-ms"),
        too_many=error.status_code == 429,
        unexplained=row is TABLE[-1],
    )


def message_of(error: "APIStatusError") -> str:
    """What the endpoint said, in whatever form it said it."""
    body = error.body
    while isinstance(body, list) and body:  # Google's is a list of one
        body = body[0]
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            body = body[name]
    return body if isinstance(body, str) else str(body if body is not None else "")


def _quoted(text: str, endpoint: Endpoint) -> str:
    words = " ".join(clean(endpoint.redact(text)).split())
    printable = "".join(letter for letter in words if letter.isprintable())
    return f": {printable[:QUOTED]}" if printable else "."
