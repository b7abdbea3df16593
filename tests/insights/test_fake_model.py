"""The stand-in speaks OpenAI's API as OpenAI's own client does, and answers out of the messages alone."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import numpy as np
import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict

from insights.fake_model.options import Options
from tests.insights.command import insights
from tests.servers.fake_model import Endpoint, endpoint

TRACE = """<trace>
User: I want a refund for order 17. It came broken.
Assistant: That was refunded.
User: Thanks, now I am satisfied.
</trace>"""
SYSTEM = "Summarise the trace.\n- booking: new orders\n- refund: money back\n- other: all else"
MESSAGES: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": TRACE}]


class Summary(BaseModel):
    model_config = ConfigDict(extra="forbid")

    summary: str
    topic: Literal["booking", "refund", "other"]
    user_satisfied: bool
    quote: str | None


EXPECTED = {
    "summary": "I want a refund for order 17. It came broken. Thanks, now I am satisfied.",
    "topic": "refund",
    "user_satisfied": True,
    "quote": "I want a refund for order 17.",
}


@pytest.fixture
async def server() -> AsyncIterator[Endpoint]:
    async with endpoint() as found:
        yield found


def client(base_url: str, key: str = "any") -> AsyncOpenAI:
    return AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=20)


async def ask(base_url: str, messages: Any = MESSAGES, model: str = "m", key: str = "any", **options: Any) -> Any:
    async with client(base_url, key) as api:
        return await api.chat.completions.create(model=model, messages=messages, **options)


async def refusal(options: Options, **asked: Any) -> openai.APIStatusError:
    async with endpoint(options) as server:
        with pytest.raises(openai.APIStatusError) as caught:
            await ask(server.base_url, **asked)
    return caught.value


def json_schema(schema: dict[str, Any], *, strict: bool = True) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "summary", "schema": schema, "strict": strict}}


async def test_structured_output_is_filled_from_the_trace(server: Endpoint) -> None:
    async with client(server.base_url) as api:
        answer = await api.chat.completions.parse(model="m", messages=MESSAGES, response_format=Summary)

    parsed = answer.choices[0].message.parsed
    assert parsed is not None
    assert parsed.model_dump() == EXPECTED
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("choice", [{"type": "function", "function": {"name": "Summary"}}, "required", "auto"])
async def test_a_function_is_called_with_the_same_values(server: Endpoint, choice: Any) -> None:
    """What instructor asks for, by which Kura reaches its models."""
    tool = {"type": "function", "function": {"name": "Summary", "parameters": Summary.model_json_schema()}}

    answer = await ask(server.base_url, tools=[tool], tool_choice=choice)

    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "Summary"
    assert json.loads(call.function.arguments) == EXPECTED


async def test_without_structured_output_the_schema_is_found_in_the_instructions(server: Endpoint) -> None:
    """As JSON in JSON mode; in a fence with a sentence before it in plain text, as models do."""
    schema = json.dumps(Summary.model_json_schema())
    messages = [{"role": "system", "content": f"{SYSTEM}\nAnswer in JSON by this schema: {schema}"}, MESSAGES[1]]

    in_json = await ask(server.base_url, messages, response_format={"type": "json_object"})
    in_text = await ask(server.base_url, messages)

    assert json.loads(in_json.choices[0].message.content) == EXPECTED
    before, _, fenced = in_text.choices[0].message.content.partition("```json\n")
    assert before
    assert json.loads(fenced.removesuffix("\n```")) == EXPECTED


async def test_the_same_request_has_the_same_answer_to_the_byte_in_every_process(server: Endpoint) -> None:
    async with endpoint() as other:
        answers = [await ask(url, seed=seed) for seed, url in enumerate([server.base_url, other.base_url])]

    assert answers[0].model_dump_json() == answers[1].model_dump_json()


async def test_any_path_prefix_and_no_key_will_do(server: Endpoint) -> None:
    url = f"{server.url}/proxy/openai/deployments/x/chat/completions"
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, json={"model": "m", "messages": MESSAGES})

    assert answer.json()["choices"][0]["message"]["content"] == EXPECTED["summary"]


async def test_a_longer_answer_than_asked_for_is_cut_and_says_so(server: Endpoint) -> None:
    answer = await ask(server.base_url, max_completion_tokens=4)

    assert answer.choices[0].finish_reason == "length"
    assert EXPECTED["summary"].startswith(answer.choices[0].message.content)  # type: ignore[attr-defined]


async def test_tokens_are_counted_and_left_out_where_the_endpoint_tells_none(server: Endpoint) -> None:
    usage = (await ask(server.base_url)).usage
    async with endpoint(Options(usage=False)) as silent:
        assert (await ask(silent.base_url)).usage is None
        assert silent.stats()["prompt_tokens"] == usage.prompt_tokens

    assert len(SYSTEM + TRACE) / 6 < usage.prompt_tokens < len(SYSTEM + TRACE) / 2
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens == 0


async def test_texts_with_common_words_have_near_vectors_of_length_one(server: Endpoint) -> None:
    texts = ["cancel my flight", "Cancelled flights", "a lamp is broken"]
    async with client(server.base_url) as api:
        as_bytes = await api.embeddings.create(model="e", input=texts)
        as_numbers = await api.embeddings.create(model="e", input=texts, encoding_format="float")
        short = await api.embeddings.create(model="e", input=texts[0], dimensions=16)

    rows = np.array([row.embedding for row in as_bytes.data])
    assert np.allclose(rows, [row.embedding for row in as_numbers.data])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert rows[0] @ rows[1] > 0.9 > 0.4 > abs(rows[0] @ rows[2])
    assert len(short.data[0].embedding) == 16
    assert as_bytes.usage.total_tokens > 0


async def test_vectors_are_float32_in_base64(server: Endpoint) -> None:
    async with client(server.base_url) as api:
        raw = await api.embeddings.with_raw_response.create(model="e", input="lamp", encoding_format="base64")

    found = json.loads(raw.content)["data"][0]["embedding"]
    assert np.linalg.norm(np.frombuffer(base64.b64decode(found), "<f4")) == pytest.approx(1)


async def test_models_are_listed_and_any_other_is_unknown() -> None:
    options = Options(models=("gpt-5", "org/model"))
    async with endpoint(options) as server, client(server.base_url) as api:
        assert [model.id async for model in api.models.list()] == ["gpt-5", "org/model"]
        assert (await api.models.retrieve("org/model")).id == "org/model"
        with pytest.raises(openai.NotFoundError):
            await api.models.retrieve("gpt-4")
    assert (await refusal(options, model="gpt-4")).code == "model_not_found"


async def test_a_wrong_key_is_refused_and_not_told() -> None:
    error = await refusal(Options(key="right"), key="wrong-secret")

    assert (error.status_code, error.code) == (401, "invalid_api_key")
    assert "secret" not in str(error)
    assert "right" not in repr(Options(key="right"))


async def test_a_right_key_is_taken_as_bearer_and_as_azure_sends_it() -> None:
    async with endpoint(Options(key="right")) as server:
        await ask(server.base_url, key="right")
        await ask(server.base_url, key="wrong", extra_headers={"Authorization": "", "api-key": "right"})


@pytest.mark.parametrize(
    ("options", "asked", "param", "said"),
    [
        (Options(), {"stream": True}, "stream", "does not stream"),
        (Options(), {"n": 2}, "n", "one answer"),
        (Options(), {"messages": []}, "messages", "not empty"),
        (Options(refused=frozenset({"temperature"})), {"temperature": 0}, "temperature", "not supported"),
        (
            Options(json_schema=False),
            {"response_format": json_schema(Summary.model_json_schema())},
            "response_format",
            "'json_schema' is not supported",
        ),
        (Options(json_mode=False), {"response_format": {"type": "json_object"}}, "response_format", "not supported"),
        (Options(), {"response_format": {"type": "json_object"}}, "messages", "the word 'json'"),
        (Options(context=20), {}, "messages", "maximum context length is 20 tokens"),
        (
            Options(),
            {"response_format": json_schema({"type": "object", "properties": {"a": {"type": "string"}}})},
            "response_format",
            "'additionalProperties' is required",
        ),
        (
            Options(),
            {
                "response_format": json_schema(
                    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
                )
            },
            "response_format",
            "Missing 'a'",
        ),
    ],
    ids=str,
)
async def test_what_an_endpoint_may_refuse_is_refused_as_openai_does(
    options: Options, asked: dict[str, Any], param: str, said: str
) -> None:
    error = await refusal(options, **asked)

    assert (error.status_code, error.param) == (400, param)
    assert said in error.message


async def test_more_requests_at_once_than_allowed_are_told_to_wait() -> None:
    async with endpoint(Options(most_in_flight=0, retry_after=2)) as server:
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(server.base_url)

    assert caught.value.response.headers["retry-after"] == "2"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"model": ""}', b"[" * 100_000], ids=len)
async def test_a_body_that_is_no_request_is_answered_by_400(server: Endpoint, body: bytes) -> None:
    async with client(server.base_url) as api:
        answer = await api._client.post(f"{server.base_url}/chat/completions", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "420:0.1"], "There is no fault '420': choose 429"),
        (["--fault", "429:2"], "write 429:0.05"),
        (["--fault", "429:0.6,500:0.6"], "over 1 together"),
        (["--latency", "normal:1"], "lognormal:4,0.5"),
        (["--log", "/"], "choose another file"),
        (["--host", "192.0.2.1"], "--port"),
    ],
    ids=str,
)
def test_a_wrong_option_is_told_in_a_sentence(arguments: list[str], said: str) -> None:
    outcome = insights("fake-model", *arguments)

    assert outcome.code == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err
