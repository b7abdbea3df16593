"""Messages and bodies of runs, out of what each convention writes, as OpenAI has them: role, content, tool_calls."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from shared.messages import is_message
from shared.traces.otel.span import read_json

Body = dict[str, Any]
_PARTS = {"text", "tool_call", "tool_call_response", "reasoning"}


def body(value: Any, name: Literal["input", "output"]) -> Body:
    """Inputs or outputs out of one value, JSON or text. What is no object is below `messages`, or `name`."""
    told = structure(value)
    if isinstance(told, dict):
        return told
    if isinstance(told, list) and any(is_message(one) for one in told):
        return {"messages": told}
    return {name: told}


def structure(value: Any) -> Any:
    """The object or list that is written in a text; any other text stays one, even `123`."""
    read = read_json(value)
    return read if isinstance(read, dict | list) else value


def conversation(messages: Iterable[Mapping[str, Any]]) -> Body | None:
    listed = list(messages)
    return {"messages": listed} if listed else None


def of_parts(told: Any) -> Iterator[Body]:
    """Messages of the GenAI conventions: {role, parts}. Each result of a tool is a message of its own."""
    for one in structure(told) if isinstance(structure(told), list) else ():
        if not isinstance(one, dict):
            continue
        parts = one.get("parts")
        if not isinstance(parts, list):
            yield one
            continue
        results = [part for part in parts if _kind(part) == "tool_call_response"]
        calls = [_call(part) for part in parts if _kind(part) == "tool_call"]
        said = [_block(part) for part in parts if _kind(part) not in ("tool_call", "tool_call_response")]
        yield from (_result(part) for part in results)
        if said or calls or not results:
            rest = {name: value for name, value in one.items() if name != "parts"}
            yield {**rest, "content": _content(said), **({"tool_calls": calls} if calls else {})}


def of_flat(told: Any) -> Iterator[Body]:
    """Messages that attributes spell out, of OpenInference and OpenLLMetry."""
    for one in told if isinstance(told, list) else ():
        message = one.get("message", one) if isinstance(one, dict) else None
        if isinstance(message, dict):
            yield _flat(message)


def _flat(message: dict[str, Any]) -> Body:
    rest = dict(message)
    calls, blocks = rest.pop("tool_calls", None), rest.pop("contents", None)
    content = structure(rest.pop("content", None))
    if content is None and isinstance(blocks, list):
        content = [one.get("message_content", one) if isinstance(one, dict) else one for one in blocks]
    found = [_function(one) for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    made = {"role": "assistant" if found else "user", **rest, "content": content}
    return {**made, "tool_calls": found} if found else made


def _function(told: dict[str, Any]) -> Body:
    call = told.get("tool_call", told)
    call = call if isinstance(call, dict) else told
    function = call.get("function")
    known = function if isinstance(function, dict) else call
    named = {"name": known.get("name"), "arguments": known.get("arguments")}
    return {"id": call.get("id"), "type": "function", "function": named}


def _kind(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    return kind if isinstance(kind, str) and kind in _PARTS else ""


def _call(part: dict[str, Any]) -> Body:
    return _function({"id": part.get("id"), "name": part.get("name"), "arguments": part.get("arguments")})


def _result(part: dict[str, Any]) -> Body:
    result = next((part[name] for name in ("response", "result", "content") if part.get(name) is not None), "")
    return {"role": "tool", "tool_call_id": part.get("id"), "content": result}


def _block(part: Any) -> Any:
    if _kind(part) == "text":
        return {"type": "text", "text": part.get("content", "")}
    if _kind(part) == "reasoning":  # not below `content`: it was not said
        return {"type": "reasoning", "reasoning": part.get("content")}
    return part


def _content(blocks: list[Any]) -> Any:
    if not blocks:
        return None
    return blocks[0]["text"] if len(blocks) == 1 and _kind(blocks[0]) == "text" else blocks
