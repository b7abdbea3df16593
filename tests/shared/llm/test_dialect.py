"""What an endpoint does not take is found out once, and left out from then on."""

import asyncio
from typing import Any

import httpx2
import pytest

from shared.errors import AnswerError
from tests.shared.llm.conftest import GOOD, SHAPE, Bench, Script, completion, failure, question

NO_SCHEMA = failure(400, "'response_format' of type 'json_schema' is not supported", param="response_format")
VLLM = httpx2.Response(400, json={"object": "error", "message": "response_format json_schema: no", "code": 400})
MISTRAL = httpx2.Response(422, json={"detail": [{"type": "extra_forbidden", "loc": ["body", "response_format"]}]})
LITELLM = failure(400, "UnsupportedParamsError: does not support parameters: ['response_format'], model=x")


def forms(script: Script) -> list[str | None]:
    return [body.get("response_format", {}).get("type") for body in script.bodies]


def picky(*unknown: str) -> Any:
    """An endpoint that refuses the first argument it does not know, as OpenAI does."""

    def answer(body: dict[str, Any]) -> httpx2.Response:
        for name in unknown:
            if name in body:
                return failure(400, f"Unsupported parameter: '{name}' is not supported.", param=name)
        return completion()

    return answer


async def test_a_schema_is_sent_strict(bench: Bench) -> None:
    script = Script(completion())

    await bench(script).ask(question())

    assert script.bodies[0]["response_format"] == SHAPE.response_format
    assert "schema" not in script.bodies[0]["messages"][0]["content"]


@pytest.mark.parametrize("refusal", [NO_SCHEMA, VLLM, MISTRAL, LITELLM])
async def test_without_schemas_it_is_json_with_the_schema_in_words(bench: Bench, refusal: httpx2.Response) -> None:
    script = Script(refusal, completion())
    llm = bench(script)

    await llm.ask(question())
    await llm.ask(question())

    assert forms(script) == ["json_schema", "json_object", "json_object"]
    assert "JSON schema" in script.bodies[1]["messages"][0]["content"]
    assert bench.waits == []


async def test_without_json_it_is_text(bench: Bench) -> None:
    no_json = failure(400, "response_format is unknown", param="response_format")
    script = Script(NO_SCHEMA, no_json, completion(f"Sure: {GOOD}"))
    llm = bench(script)

    assert (await llm.ask(question())).value == {"text": "fine"}
    await llm.ask(question())

    assert forms(script) == ["json_schema", "json_object", None, None]


async def test_models_that_reason_get_effort_and_room_and_no_temperature(bench: Bench) -> None:
    script = Script(completion())

    await bench(script).ask(question("openai/gpt-5-mini-2025-08-07", max_output_tokens=300))

    body = script.bodies[0]
    assert body["reasoning_effort"] == "low"
    assert body["max_completion_tokens"] > 1_000
    assert not {"temperature", "max_tokens", "seed"} & body.keys()


@pytest.mark.parametrize("model", ["o3", "o4-mini", "gpt-5", "gpt-5.4-nano", "gpt-6.1-sol", "gpt-10"])
async def test_effort_goes_to_models_that_know_it(bench: Bench, model: str) -> None:
    script = Script(completion())
    await bench(script).ask(question(model, effort="high"))
    assert script.bodies[0]["reasoning_effort"] == "high"


@pytest.mark.parametrize(
    "model", ["gpt-4o-mini", "gpt-5-chat-latest", "claude-haiku-4-5", "gpt-35-turbo", "ollama/qwen3", "o1ive"]
)
async def test_and_to_no_others(bench: Bench, model: str) -> None:
    script = Script(completion())
    await bench(script).ask(question(model, seed=7))
    assert "reasoning_effort" not in script.bodies[0]
    assert script.bodies[0]["max_tokens"] == 300
    assert script.bodies[0]["temperature"] == 0
    assert script.bodies[0]["seed"] == 7


async def test_every_argument_that_is_refused_is_left_out(bench: Bench) -> None:
    script = Script(picky("max_tokens", "temperature", "seed", "max_completion_tokens"))
    llm = bench(script)

    first = await llm.ask(question("new-model", seed=1))
    second = await llm.ask(question("new-model", seed=1))

    assert (first.attempts, second.attempts) == (5, 1)
    assert set(script.bodies[-1]) == {"model", "messages", "response_format"}


async def test_the_limit_of_tokens_changes_its_name(bench: Bench) -> None:
    refusal = failure(400, "'max_tokens' is not supported. Use 'max_completion_tokens' instead.", param="max_tokens")
    script = Script(refusal, completion())

    await bench(script).ask(question("new-model"))

    assert script.bodies[1]["max_completion_tokens"] == 300
    assert "max_tokens" not in script.bodies[1]


async def test_refused_effort_is_left_out(bench: Bench) -> None:
    script = Script(failure(400, "Unsupported value: 'reasoning_effort'", param="reasoning_effort"), completion())
    await bench(script).ask(question("gpt-5-pro"))
    assert "reasoning_effort" not in script.bodies[1]


async def test_of_calls_that_begin_together_one_finds_out(bench: Bench) -> None:
    script = Script(picky("response_format", "temperature"))
    llm = bench(script)

    answers = await asyncio.gather(*(llm.ask(question()) for _ in range(40)))

    assert len(script.requests) == 40 + 3
    assert sum(answer.attempts for answer in answers) == 43


async def test_calls_run_together_once_it_is_known(bench: Bench) -> None:
    together = asyncio.Event()
    running = 0

    async def wait_for_ten(_: dict[str, Any]) -> httpx2.Response:
        nonlocal running
        running += 1
        if running == 10:
            together.set()
        await together.wait()
        return completion()

    llm = bench(Script(completion(), wait_for_ten))
    await llm.ask(question())

    await asyncio.wait_for(asyncio.gather(*(llm.ask(question()) for _ in range(10))), 5)


async def test_one_model_learns_nothing_from_another(bench: Bench) -> None:
    script = Script(NO_SCHEMA, completion())
    llm = bench(script)

    await llm.ask(question("one"))
    await llm.ask(question("two"))

    assert forms(script) == ["json_schema", "json_object", "json_schema"]


async def test_an_endpoint_that_ignores_schemas_is_told_in_words_after_a_few_answers(bench: Bench) -> None:
    def ignorant(body: dict[str, Any]) -> httpx2.Response:
        """Answers as asked only where it is asked in words."""
        told = any("JSON schema" in message["content"] for message in body["messages"])
        return completion(GOOD if told else "It is fine.")

    script = Script(ignorant)
    llm = bench(script)

    answers = [await llm.ask(question()) for _ in range(6)]

    assert [answer.attempts for answer in answers] == [2, 2, 2, 2, 1, 1]


async def test_bad_answers_of_one_that_held_to_a_schema_change_nothing(bench: Bench) -> None:
    """What is sent for one item must not hang on how others went."""
    script = Script(completion(), completion("{}"))
    llm = bench(script)
    await llm.ask(question())

    for _ in range(5):
        with pytest.raises(AnswerError):
            await llm.ask(question())

    assert set(forms(script)) == {"json_schema"}


async def test_a_prompt_that_is_too_long_teaches_nothing(bench: Bench) -> None:
    long = failure(400, "maximum context length is 8192 tokens, reduce max_tokens", code="context_length_exceeded")
    script = Script(long, completion())
    llm = bench(script)

    with pytest.raises(AnswerError):
        await llm.ask(question())
    await llm.ask(question())

    assert script.bodies[1] == script.bodies[0]
