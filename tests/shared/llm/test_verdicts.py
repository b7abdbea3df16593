"""Each error leads to what the table says: the item's end, the job's, waiting for the endpoint, or another try."""

import logging
import traceback
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from shared.errors import AnswerError, InsightsError, JobError, ModelAwayError, UnavailableError
from shared.llm import Endpoint
from tests.shared.llm.conftest import KEY, LOCAL, Bench, Reply, Script, completion, failure, question

CONNECT = httpx2.ConnectError("[Errno 111] Connection refused")
GOOGLE_KEY = httpx2.Response(400, json=[{"error": {"code": 400, "message": "API key not valid. Please pass one."}}])
AZURE_FILTER = failure(400, "The response was filtered by Azure's content management policy.", code="content_filter")
LONG = failure(
    400, "maximum context length is 8192; reduce max_tokens", code="context_length_exceeded", param="messages"
)
AT_ONCE: list[tuple[str, Reply, type[InsightsError], str]] = [
    ("wrong key", failure(401, code="invalid_api_key"), JobError, "set OPENAI_API_KEY"),
    ("no right", failure(403), JobError, "set OPENAI_API_KEY"),
    ("wrong key at Google", GOOGLE_KEY, JobError, "set OPENAI_API_KEY"),
    ("no quota", failure(429, "You exceeded it", code="insufficient_quota"), JobError, "add credit"),
    ("no quota by type", failure(429, type="insufficient_quota"), JobError, "add credit"),
    ("no credit at Anthropic", failure(400, "Your credit balance is too low"), JobError, "add credit"),
    ("payment required", failure(402), JobError, "add credit"),
    ("no such model", failure(404, code="model_not_found"), JobError, "no such model"),
    ("no such model at Ollama", failure(404, 'model "x" not found, try pulling it first'), JobError, "no such model"),
    ("no such model at OpenRouter", failure(400, "x is not a valid model ID"), JobError, "no such model"),
    ("wrong address", httpx2.Response(404, text="Not Found"), JobError, "is the base URL right"),
    ("wrong method", httpx2.Response(405, text=""), JobError, "is the base URL right"),
    ("content filter", AZURE_FILTER, AnswerError, "by its filter"),
    ("moderation at OpenRouter", failure(403, "Your input was flagged"), AnswerError, "by its filter"),
    ("too long", LONG, AnswerError, "too long for the model"),
    ("too large a body", httpx2.Response(413, text=""), AnswerError, "too large"),
    ("more than a minute's tokens", failure(429, "Request too large for x"), AnswerError, "too long for the model"),
    ("another refusal", failure(400, "messages[1] is odd"), AnswerError, "messages[1] is odd"),
    ("an unknown status", httpx2.Response(418, text="teapot"), AnswerError, "(418): teapot"),
]
AFTER_TRIES: list[tuple[str, Reply, type[InsightsError], str]] = [
    ("refused", CONNECT, ModelAwayError, "is it running, is the URL right?): [Errno 111] Connection refused"),
    ("no connection in time", httpx2.ConnectTimeout("slow"), ModelAwayError, "cannot be reached"),
    ("too many calls", failure(429), ModelAwayError, "too many calls"),
    ("down", httpx2.Response(503, text="down"), ModelAwayError, "failed. It said (503): down"),
    ("cut", httpx2.RemoteProtocolError("cut"), ModelAwayError, "cut the connection"),
    ("no answer in time", httpx2.ReadTimeout("slow"), ModelAwayError, "did not answer within"),
    ("not the API", httpx2.Response(200, text="<html>"), ModelAwayError, "no answer of this API"),
    ("half an answer", httpx2.Response(200, content=b'{"choices": [{"mess'), ModelAwayError, "no answer of this API"),
    ("an error in a 200", httpx2.Response(200, json={"error": "busy"}), ModelAwayError, "no answer of this API"),
    ("no choices", httpx2.Response(200, json={"choices": []}), ModelAwayError, "no answer of this API"),
    ("nothing said", completion(""), AnswerError, "answered nothing"),
    ("blanks", completion(" \n "), AnswerError, "answered nothing"),
]


def ids(rows: list[tuple[str, Reply, type[InsightsError], str]]) -> list[str]:
    return [name for name, *_ in rows]


@pytest.mark.parametrize(("_", "reply", "kind", "words"), AT_ONCE, ids=ids(AT_ONCE))
async def test_it_ends_at_once(bench: Bench, _: str, reply: Reply, kind: type[InsightsError], words: str) -> None:
    script = Script(reply)

    with pytest.raises(InsightsError) as caught:
        await bench(script).ask(question())

    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert len(script.requests) == 1


@pytest.mark.parametrize(("_", "reply", "kind", "words"), AFTER_TRIES, ids=ids(AFTER_TRIES))
async def test_it_is_tried_again(bench: Bench, _: str, reply: Reply, kind: type[InsightsError], words: str) -> None:
    """Three tries; then, where the item may be at fault, one cheap question."""
    script = Script(reply)

    with pytest.raises(InsightsError) as caught:
        await bench(script, attempts=3).ask(question())

    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert len(script.requests) in (3, 4)
    assert len(bench.waits) == 2


@pytest.mark.parametrize("reply", [row[1] for row in AFTER_TRIES], ids=ids(AFTER_TRIES))
async def test_a_failure_that_passes_is_not_seen(bench: Bench, reply: Reply) -> None:
    answer = await bench(Script(reply, completion())).ask(question())

    assert (answer.value, answer.attempts) == ({"text": "fine"}, 2)


@pytest.mark.parametrize(
    "reply", [httpx2.Response(500, text="odd"), httpx2.RemoteProtocolError("cut"), httpx2.ReadTimeout("slow")]
)
async def test_an_item_that_fails_where_the_cheapest_question_is_answered_ends_alone(
    bench: Bench, reply: Reply
) -> None:
    script = Script(reply, reply, reply, completion("yes"))

    with pytest.raises(AnswerError):
        await bench(script, attempts=3).ask(question())
    assert script.bodies[-1]["messages"] == [{"role": "user", "content": "Answer with the word yes."}]


def test_delivery_waits_for_an_endpoint_that_is_away_at_no_cost_of_tries() -> None:
    assert issubclass(ModelAwayError, UnavailableError)


async def test_a_prompt_repeated_in_a_refusal_ends_no_job(bench: Bench) -> None:
    """A trace may hold the words of another error."""
    repeated = failure(400, "bad request: " + "x" * 200 + " insufficient_quota invalid_api_key model_not_found")

    with pytest.raises(AnswerError):
        await bench(Script(repeated)).ask(question())


SECRETS = (KEY, "header-secret", "query-secret", "user-secret")
ENDPOINT = Endpoint(
    "https://me:user-secret@model.test/v1?sig=query-secret", SecretStr(KEY), {"x-api-key": "header-secret"}
)
TELLTALE = "You sent " + " ".join(SECRETS)
PLAIN = Endpoint(LOCAL, SecretStr(KEY), {"x-api-key": "header-secret"})


@pytest.mark.parametrize(
    "reply",
    [
        failure(401, TELLTALE),
        failure(400, TELLTALE),
        failure(503, TELLTALE),
        failure(429, TELLTALE),
        httpx2.Response(500, text=TELLTALE),
        httpx2.ConnectError(TELLTALE),
        httpx2.Response(200, text=TELLTALE),
        completion('{"text": 1}'),
        completion(),
    ],
)
async def test_no_secret_is_in_an_error_its_traceback_or_a_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""
    try:
        await bench(Script(reply), ENDPOINT, attempts=2).ask(question())
    except InsightsError as error:
        shown = str(error) + "".join(traceback.format_exception(error))

    for secret in SECRETS:
        assert secret not in shown
        assert secret not in caplog.text


async def test_what_the_endpoint_says_is_shortened_and_stripped_of_control_characters(bench: Bench) -> None:
    with pytest.raises(AnswerError) as caught:
        await bench(Script(failure(400, "\x1b[31mred\x00 \u202e" + "y" * 9_000))).ask(question())

    text = str(caught.value)
    assert len(text) < 500
    assert text.isprintable()
    assert text.encode()


async def test_nothing_but_the_projects_own_errors_is_raised(bench: Bench) -> None:
    bodies: list[Any] = [[], "x", None, {"error": []}, {"error": {"message": {"deep": 1}, "code": 7}}, [[[]]]]
    for body in bodies:
        with pytest.raises(InsightsError):
            await bench(Script(httpx2.Response(400, json=body))).ask(question())
