"""A span is the run that its convention means: one golden span each."""

import json
from typing import Any

import pytest

from shared.content import turns
from shared.traces.otel import runs_of
from shared.traces.otel.flat import below
from tests.services.spans import TRACE, event, span, told

ROLES = [("user", "Weather in Paris?"), ("assistant", ""), ("tool", "Rain."), ("assistant", "It rains.")]
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}


def run(attributes: dict[str, Any], scope: str = "app", **fields: Any) -> dict[str, Any]:
    [found] = runs_of([span(told(1, None, attributes, **fields), scope)])
    return found.fields


def conversation(fields: dict[str, Any]) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in turns([fields["inputs"], fields["outputs"]])]


def flat(prefix: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"{prefix}.{n}.{name}": value for n, one in enumerate(messages) for name, value in one.items()}


GENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m-1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.conversation.id": "t-1",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.input.messages": json.dumps(
        [
            {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": '{"city":"Paris"}'}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Rain."}]},
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "It rains."}], "finish_reason": "stop"}]
    ),
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "m-1",
    "llm.invocation_parameters": '{"temperature": 0.5}',
    "session.id": "t-1",
    "llm.token_count.prompt": 10,
    "llm.token_count.completion": 5,
    "llm.token_count.prompt_details.cache_read": 4,
    "input.value": "ignored where there are messages",
    **flat(
        "llm.input_messages",
        [
            {"message.role": "user", "message.content": "Weather in Paris?"},
            {
                "message.role": "assistant",
                "message.tool_calls.0.tool_call.id": "c1",
                "message.tool_calls.0.tool_call.function.name": "weather",
                "message.tool_calls.0.tool_call.function.arguments": '{"city":"Paris"}',
            },
            {"message.role": "tool", "message.content": "Rain.", "message.tool_call_id": "c1"},
        ],
    ),
    **flat("llm.output_messages", [{"message.role": "assistant", "message.content": "It rains."}]),
}
OPENLLMETRY = {
    "traceloop.llm.request.type": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "m-1",
    "gen_ai.request.temperature": 0.5,
    "traceloop.association.properties.thread_id": "t-1",
    "gen_ai.usage.prompt_tokens": 10,
    "gen_ai.usage.completion_tokens": 5,
    "gen_ai.usage.cache_read_input_tokens": 4,
    **flat(
        "gen_ai.prompt",
        [
            {"role": "user", "content": "Weather in Paris?"},
            {
                "role": "assistant",
                "tool_calls.0.id": "c1",
                "tool_calls.0.name": "weather",
                "tool_calls.0.arguments": '{"city":"Paris"}',
            },
            {"role": "tool", "content": "Rain.", "tool_call_id": "c1"},
        ],
    ),
    "gen_ai.completion.0.content": "It rains.",
}


@pytest.mark.parametrize(
    "attributes", [GENAI, OPENINFERENCE, OPENLLMETRY], ids=["genai", "openinference", "openllmetry"]
)
def test_each_convention_tells_the_same_call_of_a_model(attributes: dict[str, Any]) -> None:
    fields = run(attributes)
    assert fields["run_type"] == "llm"
    assert conversation(fields) == ROLES
    assert fields["inputs"]["messages"][1]["tool_calls"] == [CALL]
    assert fields["extra"]["invocation_params"] == {"model": "m-1", "temperature": 0.5}
    metadata = fields["extra"]["metadata"]
    assert [metadata[name] for name in ("ls_provider", "ls_model_name", "thread_id")] == ["openai", "m-1", "t-1"]
    usage = {"input_tokens": 10, "output_tokens": 5, "input_token_details": {"cache_read": 4}}
    assert metadata["usage_metadata"] == usage


def test_messages_may_come_as_events() -> None:
    calls = json.dumps([CALL])
    events = [
        event("gen_ai.user.message", content="Weather in Paris?"),
        event("gen_ai.assistant.message", tool_calls=calls),
        event("gen_ai.tool.message", content="Rain.", id="c1"),
        event("gen_ai.choice", index=0, finish_reason="stop", message={"role": "assistant", "content": "It rains."}),
        event("cache.miss", key="k"),
    ]
    fields = run({"gen_ai.operation.name": "chat"}, events=events)
    assert conversation(fields) == ROLES
    assert fields["inputs"]["messages"][1]["tool_calls"] == [CALL]
    assert [one["name"] for one in fields["events"]] == ["cache.miss"]


def test_logfire_tells_all_in_one_attribute() -> None:
    told_ = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": "Hello"},
        {"event.name": "gen_ai.choice", "message": {"role": "assistant", "content": "Hi"}},
    ]
    assert conversation(run({"events": json.dumps(told_)})) == [("user", "Hello"), ("assistant", "Hi")]


def test_the_sdk_s_own_bodies_are_equal() -> None:
    inputs, outputs = {"q": "hé 😀", "n": 10**30, "deep": [[1]]}, {"role": "assistant", "content": "x"}
    attributes = {
        "langsmith.span.kind": "chain",
        "langsmith.trace.name": "root",
        "langsmith.trace.session_name": "shop",
        "langsmith.span.tags": "a, b",
        "langsmith.metadata.k": '{"z":1}',
        "langsmith.metadata.plain": "1",
        "gen_ai.system": "langchain",
        "gen_ai.prompt": json.dumps(inputs),
        "gen_ai.completion": json.dumps(outputs),
    }
    fields = run(attributes, "langsmith")
    assert (fields["inputs"], fields["outputs"]) == (inputs, outputs)
    assert (fields["name"], fields["session_name"], fields["tags"]) == ("root", "shop", ["a", "b"])
    assert fields["extra"]["metadata"] == {"k": {"z": 1}, "plain": "1"}


def test_a_tool_is_named_and_tells_what_it_was_given_and_gave() -> None:
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.call.arguments": '{"city": "Paris"}',
        "gen_ai.tool.call.result": "Rain.",
    }
    fields = run(attributes)
    assert (fields["name"], fields["run_type"]) == ("weather", "tool")
    assert (fields["inputs"], fields["outputs"]) == ({"city": "Paris"}, {"output": "Rain."})


def test_text_that_says_it_is_text_stays_text() -> None:
    value = {"input.value": '{"a": 1}', "output.value": '{"a": 1}', "input.mime_type": "text/plain"}
    fields = run(value)
    assert (fields["inputs"], fields["outputs"]) == ({"input": '{"a": 1}'}, {"a": 1})
    assert run({"input.value": "123"})["inputs"] == {"input": "123"}


def test_documents_are_a_retriever_s() -> None:
    attributes = {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.1.document.content": "second",
        "retrieval.documents.0.document.content": "first",
        "retrieval.documents.0.document.metadata": '{"page": 2}',
    }
    fields = run(attributes)
    assert fields["run_type"] == "retriever"
    assert [one["page_content"] for one in fields["outputs"]["documents"]] == ["first", "second"]
    assert fields["outputs"]["documents"][0]["metadata"] == {"page": 2}


def test_an_error_has_its_message_and_its_stack_once() -> None:
    failed = {"code": 2, "message": "told by the status"}
    raised = event("exception", **{"exception.type": "ValueError", "exception.message": "no"})
    stack = event("exception", **{"exception.message": "no", "exception.stacktrace": "Traceback …\nValueError: no"})
    again = event("exception", **{"exception.type": "E", "exception.message": "no", "exception.stacktrace": "E: no\n"})
    assert run({}, status=failed)["error"] == "told by the status"
    assert run({}, status=failed, events=[raised])["error"] == "no"
    assert run({}, status=failed, events=[stack])["error"] == "no\n\nTraceback …\nValueError: no"
    assert run({}, status=failed, events=[again])["error"] == "no"
    assert "error" not in run({}, status={"code": 1}, events=[raised])
    assert "error" not in run({})


def test_a_run_finds_its_parent_in_another_request_and_knows_its_place_within_one() -> None:
    spans = [span(told(0)), span(told(1, 0)), span(told(2, 1))]
    together = list(runs_of(spans[::-1]))
    alone = [next(runs_of([one])) for one in reversed(spans)]
    assert [one.id for one in together] == [one.id for one in alone]
    parents = [one.fields.get("parent_run_id") for one in together]
    assert parents == [together[1].id, together[2].id, None]
    assert parents == [one.fields.get("parent_run_id") for one in alone]
    assert {one.fields["trace_id"].replace("-", "") for one in (*together, *alone)} == {TRACE}
    stamps = [part[:22] for part in together[0].fields["dotted_order"].split(".")]
    assert stamps == [f"20260101T00000{second}000000Z" for second in range(3)]
    assert "dotted_order" not in alone[0].fields


def test_a_ring_of_parents_ends() -> None:
    spans = [span(told(0, 1)), span(told(1, 0))]
    assert all("dotted_order" not in one.fields for one in runs_of(spans))


def test_ids_that_are_given_win_also_for_what_lies_below() -> None:
    mine, parent, trace = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(3))
    ids = {"langsmith.span.id": mine, "langsmith.span.parent_id": parent, "langsmith.trace.id": trace}
    dotted = f"20260101T000000000000Z{trace}.20260101T000001000000Z{mine}"
    given, below_ = runs_of([span(told(0, None, {**ids, "langsmith.span.dotted_order": dotted})), span(told(1, 0))])
    assert (given.id, given.fields["parent_run_id"], given.fields["trace_id"]) == (mine, parent, trace)
    assert (below_.fields["parent_run_id"], below_.fields["trace_id"]) == (mine, trace)
    assert below_.fields["dotted_order"] == f"{dotted}.20260101T000001000000Z{below_.id}"


def test_unknown_attributes_are_metadata_and_bounded() -> None:
    attributes = {"user.id": "u-1", "long": "x" * 10_000, **{f"n{n}": n for n in range(200)}}
    [found] = runs_of([span(told(1, None, attributes), **{"service.name": "shop", "telemetry.sdk.name": "otel"})])
    metadata = found.fields["extra"]["metadata"]
    assert metadata["user.id"] == "u-1"
    assert len(metadata["long"]) == 2_000
    assert len(metadata) == 100
    [small] = runs_of([span(told(1), **{"service.name": "shop", "telemetry.sdk.name": "otel"})])
    assert small.fields["extra"]["metadata"] == {"service.name": "shop"}


def test_attributes_that_contradict_each_other_are_read() -> None:
    told_ = {"a.0": "text", "a.0.role": "user", "a.1.x.y": 1, "a.1.x": 2, "a.99999999": 3, "b": 4}
    assert below(told_, "a") == [{"role": "user"}, {"x": {"y": 1}}, 3]
    assert below({"a." + "0." * 50 + "x": 1}, "a") is not None
