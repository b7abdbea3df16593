"""Metadata of a run: what a span says of itself, of its model, its conversation and its process."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from shared.prompts import as_text
from shared.traces.otel import langsmith, openinference
from shared.traces.otel.messages import structure
from shared.traces.otel.span import SDK, Span
from shared.traces.otel.usage import usage_metadata

MOST = 100  # attributes that no convention knows
LONGEST = 2_000  # characters of one of them
_ASSOCIATION = "traceloop.association.properties."
_REQUEST = "gen_ai.request."
_ELSEWHERE = (  # in bodies, usage, parameters, or told by name
    *("langsmith.", "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.output.messages"),
    *("gen_ai.system_instructions", "gen_ai.tool.call.", "gen_ai.tool.definitions", "gen_ai.usage.", _REQUEST),
    *("llm.input_messages.", "llm.output_messages.", "llm.token_count.", "llm.invocation_parameters", "llm.tools."),
    *("input.", "output.", "retrieval.documents.", "embedding.embeddings.", "tag.tags"),
    *("traceloop.entity.", "pydantic_ai.all_messages", "all_messages_events", _ASSOCIATION),
)
_WHOLE = frozenset({"metadata", "events", "prompt", "final_result"})
_PROCESS = ("telemetry.", "langsmith.")


def metadata(span: Span) -> dict[str, Any]:
    """Unknown attributes and those of the resource are bounded; what is told by name is not."""
    told = {**_association(span), **openinference.metadata(span), **langsmith.metadata(span)}
    named = {"thread_id": span.first("gen_ai.conversation.id", "session.id"), "usage_metadata": usage_metadata(span)}
    if span.scope != SDK:  # it tells the model itself, and calls each provider that it does not know LangChain
        named["ls_provider"] = span.text("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
        named["ls_model_name"] = model(span)
    others = {name: _bounded(value) for name, value in islice(_others(span), MOST)}
    return {**others, **{name: value for name, value in named.items() if value}, **told}


def parameters(span: Span) -> dict[str, Any]:
    """Of the call of a model: its invocation_params."""
    told = structure(span.first("llm.invocation_parameters", "embedding.invocation_parameters"))
    request = {
        name.removeprefix(_REQUEST): value for name, value in span.attributes.items() if name.startswith(_REQUEST)
    }
    if "stop_sequences" in request:
        request["stop"] = request.pop("stop_sequences")
    known = {
        "model": model(span),
        "tools": structure(span.first("gen_ai.tool.definitions")) or openinference.tools(span),
    }
    return {
        **(told if isinstance(told, dict) else {}),
        **request,
        **{name: value for name, value in known.items() if value},
    }


def model(span: Span) -> str | None:
    return span.text("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "embedding.model_name")


def _association(span: Span) -> dict[str, Any]:
    told = ((name, value) for name, value in span.attributes.items() if name.startswith(_ASSOCIATION))
    return {name.removeprefix(_ASSOCIATION): value for name, value in told}


def _others(span: Span) -> Iterator[tuple[str, Any]]:
    """The span's own first: of two of one name it is the resource's that is left out."""
    if span.scope != SDK:
        yield from _without(span.attributes, _ELSEWHERE, _WHOLE)
    yield from _without(span.resource, _PROCESS, span.attributes)


def _without(attributes: Mapping[str, Any], begin: tuple[str, ...], names: Any) -> Iterator[tuple[str, Any]]:
    for name, value in attributes.items():
        if name and len(name) <= LONGEST and not name.startswith(begin) and name not in names:
            yield name, value


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, list | dict) and len(text := as_text(value)) > LONGEST:
        return text[:LONGEST]
    return value
