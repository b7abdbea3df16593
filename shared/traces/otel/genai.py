"""OpenTelemetry's semantic conventions for GenAI, of now (messages as attributes) and of before (as events)."""

from collections.abc import Iterable
from typing import Any

from shared.traces.otel.flat import below
from shared.traces.otel.messages import Body, body, conversation, of_flat, of_parts, structure
from shared.traces.otel.span import Event, Span

_DETAILS = "gen_ai.client.inference.operation.details"
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_WHOLE = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}
EVENTS = frozenset({_DETAILS, _CHOICE, *_ROLES, *_WHOLE})


def inputs(span: Span) -> Body | None:
    """Messages, or the arguments of a tool."""
    system = _instructions(_held(span, "gen_ai.system_instructions"))
    told = list(of_parts(_held(span, "gen_ai.input.messages")))
    whole = None if told else _whole(span, "gen_ai.content.prompt", "input")
    found = whole or conversation([*system, *(told or exchanged(span.events)[0])])
    arguments = span.first("gen_ai.tool.call.arguments")
    return body(arguments, "input") if found is None and arguments is not None else found


def outputs(span: Span) -> Body | None:
    """Messages, or the result of a tool."""
    found = conversation(of_parts(_held(span, "gen_ai.output.messages")))
    found = found or _whole(span, "gen_ai.content.completion", "output") or conversation(exchanged(span.events)[1])
    result = span.first("gen_ai.tool.call.result")
    return body(result, "output") if found is None and result is not None else found


def exchanged(events: Iterable[Event]) -> tuple[list[Body], list[Body]]:
    """What was said to the model and what it answered: the choices, or else the assistant's last messages."""
    said = [_message(event) for event in events if event.name in _ROLES]
    choices = [_choice(event) for event in events if event.name == _CHOICE]
    if choices:
        return said, choices
    last = len(said)
    while last and said[last - 1]["role"] == "assistant":
        last -= 1
    return said[:last], said[last:]


def _held(span: Span, name: str) -> Any:
    """An attribute of the span, or of the event that may have it instead."""
    events = (event.attributes.get(name) for event in span.events if event.name == _DETAILS)
    found = span.first(name)
    return found if found is not None else next((value for value in events if value is not None), None)


def _instructions(told: Any) -> list[Body]:
    parts = structure(told)
    parts = [{"type": "text", "content": parts}] if isinstance(parts, str) else parts
    return list(of_parts([{"role": "system", "parts": parts}])) if isinstance(parts, list) else []


def _whole(span: Span, event_name: str, name: Any) -> Body | None:
    """Prompt or completion, all in one event."""
    events = (event.attributes.get(_WHOLE[event_name]) for event in span.events if event.name == event_name)
    return next((body(value, name) for value in events if value is not None), None)


def _message(event: Event) -> Body:
    told = structure(event.attributes.get("gen_ai.event.content"))
    fields = told if isinstance(told, dict) else _named(event.attributes)
    role = fields.get("role")
    made = {**fields, "role": role if isinstance(role, str) else _ROLES[event.name]}
    made["content"] = structure(fields.get("content"))
    if made["role"] == "tool" and "id" in made:
        made["tool_call_id"] = made.pop("id")
    return _with_calls(made, event)


def _choice(event: Event) -> Body:
    told = structure(event.attributes.get("gen_ai.event.content"))
    fields = told if isinstance(told, dict) else _named(event.attributes)
    message = structure(fields.get("message"))
    spelled = below(event.attributes, "message")
    found = next((one for one in (message, spelled) if isinstance(one, dict)), None)
    found = {"content": fields.get("content") if message is None else message} if found is None else found
    made = {"role": "assistant", **found}
    reason = fields.get("finish_reason")
    return _with_calls({**made, **({"finish_reason": reason} if reason else {})}, event)


def _with_calls(message: Body, event: Event) -> Body:
    calls = structure(message.get("tool_calls")) or structure(event.attributes.get("tool_calls"))
    calls = calls or below(event.attributes, "tool_calls")
    made = next(of_flat([{"role": message["role"], "tool_calls": calls}]), {}) if calls else {}
    return {**message, "tool_calls": made["tool_calls"]} if "tool_calls" in made else message


def _named(attributes: Any) -> Body:
    """The message's own fields: neither the provider nor what is spelled out."""
    return {name: value for name, value in attributes.items() if "." not in name}
