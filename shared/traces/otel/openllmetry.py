"""Traceloop's OpenLLMetry: the GenAI conventions' names of before, one attribute a field of a message."""

from shared.traces.otel.flat import below
from shared.traces.otel.messages import Body, body, conversation, of_flat
from shared.traces.otel.span import Span


def inputs(span: Span) -> Body | None:
    found = conversation(of_flat(below(span.attributes, "gen_ai.prompt")))
    value = span.first("traceloop.entity.input")
    return body(value, "input") if found is None and value is not None else found


def outputs(span: Span) -> Body | None:
    found = conversation(_completions(span))
    value = span.first("traceloop.entity.output")
    return body(value, "output") if found is None and value is not None else found


def _completions(span: Span) -> list[Body]:
    """Some of its instruments leave out the role of an answer."""
    listed = below(span.attributes, "gen_ai.completion")
    listed = listed if isinstance(listed, list) else []
    return list(of_flat([{"role": "assistant", **one} for one in listed if isinstance(one, dict)]))
