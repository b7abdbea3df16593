"""Pydantic's Logfire and its agents: all messages of a conversation as JSON in one attribute."""

from shared.traces.history import first_request
from shared.traces.otel.genai import exchanged
from shared.traces.otel.messages import Body, body, conversation, of_parts, structure
from shared.traces.otel.span import Event, Span


def inputs(span: Span) -> Body | None:
    said = _messages(span)[0]
    prompt = span.first("prompt")
    return body(prompt, "input") if not said and prompt is not None else conversation(said)


def outputs(span: Span) -> Body | None:
    answered = _messages(span)[1]
    result = span.first("final_result")
    return body(result, "output") if not answered and result is not None else conversation(answered)


def _messages(span: Span) -> tuple[list[Body], list[Body]]:
    """Up to the first request, and all after it; or, of one call of a model, up to its choices."""
    if told := list(of_parts(span.first("pydantic_ai.all_messages"))):
        cut = first_request(told)
        return told[:cut], told[cut:]
    listed = structure(span.first("events", "all_messages_events"))
    held = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return exchanged([Event(name, None, one) for one in held if isinstance(name := one.get("event.name"), str)])
