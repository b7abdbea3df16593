"""One message of a conversation as turns, whoever made it: OpenAI, Anthropic, Gemini or LangChain.

LangChain's come plain, below `data`, serialised below `kwargs`, or as a pair of role and text. Nothing here raises on
an odd shape: traces hold what they hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from shared.prompts import as_text

MAX_TEXT = 100_000
MAX_CALLS = 1_000
MAX_TOOL_NAME = 200
MAX_ARGUMENTS = 20_000
MAX_BLOCKS = 10_000
MAX_DEPTH = 20

Role = Literal["user", "assistant", "tool", "system"]

ROLES: Mapping[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "system": "system",
    "developer": "system",
}
_CALLS = ("tool_use", "server_tool_use", "tool_call", "function_call")
_RESULTS = ("tool_result", "function_call_output", "mcp_tool_result")
_ITEMS: dict[str, Role] = {"function_call": "assistant", "function_call_output": "tool"}  # OpenAI's Responses
_CONTENT = ("content", "parts", "text", "tool_calls", "function_call", "additional_kwargs")
_CALLING = ("tool_calls", "function_call", "additional_kwargs")
_ARGUMENTS = ("arguments", "args", "input", "parameters")
_STATES = {"error": True, "failed": True, "success": False}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool. `arguments` are text, the same for the same arguments, at most MAX_ARGUMENTS characters."""

    name: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, or the result of one tool. `text` has at most MAX_TEXT characters.

    `failed` is what the message says of its result; None where it says nothing, as OpenAI's never do.
    """

    role: Role
    text: str
    calls: tuple[Call, ...] = ()
    failed: bool | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(call.name for call in self.calls)


def is_message(value: Any) -> bool:
    return _role(value) is not None


def read(message: Any) -> list[Turn] | None:
    """The turns of a message, None of what is none; a result of a tool is one even where it is empty."""
    role = _role(message)
    if role is None:
        return None
    return [turn for turn in _told(message, role) if turn.text or turn.calls or turn.role == "tool"]


def gathered(parts: Iterable[str]) -> str:
    """The parts, one a line, cut at MAX_TEXT characters while they are gathered."""
    found: list[str] = []
    left = MAX_TEXT
    for part in islice(parts, MAX_BLOCKS):
        found.append(part[:left])
        left -= len(found[-1]) + 1
        if left <= 0:
            break
    return "\n".join(found)[:MAX_TEXT].strip()


def _role(value: Any) -> Role | None:
    """The role of what looks like a message; a role of the application's own is the user's."""
    if isinstance(value, list | tuple):
        pair = len(value) == 2 and all(isinstance(part, str) for part in value)
        return ROLES.get(value[0].lower()) if pair else None
    if not isinstance(value, dict):
        return None
    if isinstance(kind := value.get("type"), str) and kind in _ITEMS:
        return _ITEMS[kind]
    fields = _fields(value)
    if not any(name in fields for name in _CONTENT):
        return None
    for name in (fields.get("role"), fields.get("type"), value.get("type"), _class(value)):
        if isinstance(name, str) and (role := ROLES.get(name.lower().removesuffix("messagechunk"))):
            return role
    if not isinstance(fields.get("role"), str) or "content" not in fields:
        return None
    return "tool" if isinstance(fields.get("tool_call_id"), str) else "user"


def _class(value: dict[str, Any]) -> str | None:
    """Of LangChain's serialised messages: AIMessage → AI."""
    path = value.get("id")
    if value.get("type") != "constructor" or not isinstance(path, list) or not path or not isinstance(path[-1], str):
        return None
    return path[-1].removesuffix("Chunk").removesuffix("Message")


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    """Where a message's content is: LangChain puts it below `kwargs` or `data`."""
    for name in ("kwargs", "data"):
        if "content" not in value and isinstance(inner := value.get(name), dict) and "content" in inner:
            return inner
    return value


def _told(message: Any, role: Role) -> Iterator[Turn]:
    """Results first, each a turn of its own: Anthropic and Gemini hand them over in the user's name."""
    if not isinstance(message, dict):
        yield Turn(role, message[1][:MAX_TEXT].strip())
        return
    fields = _fields(message)
    content = next((fields[name] for name in ("content", "parts", "text", "output") if fields.get(name)), None)
    blocks = content if isinstance(content, list) else []
    if any(_is_result(block) for block in blocks):
        yield from (_result(block) for block in blocks if _is_result(block))
        content = blocks = [block for block in blocks if not _is_result(block)]
        if not blocks:
            return
    yield Turn(role, _text(content), _calls(fields, [fields, *blocks]), _failed(fields) if role == "tool" else None)


def _is_result(block: Any) -> bool:
    return isinstance(block, dict) and (block.get("type") in _RESULTS or "functionResponse" in block)


def _result(block: dict[str, Any]) -> Turn:
    if isinstance(inner := block.get("functionResponse"), dict):
        return Turn("tool", as_text(inner.get("response"))[:MAX_TEXT].strip())
    return Turn("tool", _text(block), failed=_failed(block))


def _failed(fields: dict[str, Any]) -> bool | None:
    """LangChain's `status`, Anthropic's `is_error`, MCP's `isError`."""
    for name in ("is_error", "isError"):
        if isinstance(said := fields.get(name), bool):
            return said
    return _STATES.get(status) if isinstance(status := fields.get("status"), str) else None


def _text(content: Any) -> str:
    """The text of all blocks, one a line."""
    return gathered(_texts(content, MAX_DEPTH))


def _texts(content: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(content, str) and content:
        yield content
    elif isinstance(content, list | tuple):
        for block in content:
            yield from _texts(block, depth - 1)
    elif isinstance(content, dict):
        for name in ("text", "content", "output"):
            if content.get(name):
                yield from _texts(content[name], depth - 1)
                return


def _calls(fields: dict[str, Any], blocks: list[Any]) -> tuple[Call, ...]:
    """LangChain writes the same calls in up to three places: the first that has any counts."""
    if len(blocks) == 1 and not any(name in fields for name in _CALLING) and not _is_call(fields):
        return ()
    more = fields.get("additional_kwargs")
    more = more if isinstance(more, dict) else {}
    used = [block for block in blocks if isinstance(block, dict) and _is_call(block)]
    for listed in (fields.get("tool_calls"), used, more.get("tool_calls"), fields.get("function_call")):
        if found := _listed(listed):
            return found
    return _listed(more.get("function_call"))


def _is_call(block: dict[str, Any]) -> bool:
    return block.get("type") in _CALLS or "functionCall" in block


def _listed(calls: Any) -> tuple[Call, ...]:
    listed = calls if isinstance(calls, list | tuple) else [calls]
    found = (_call(call) for call in listed[:MAX_CALLS])
    return tuple(call for call in found if call)


def _call(call: Any) -> Call | None:
    if not isinstance(call, dict):
        return None
    for inner in (call.get("function"), call.get("functionCall"), call.get("function_call"), call):
        if isinstance(inner, dict) and isinstance(name := inner.get("name"), str):
            return Call(name[:MAX_TOOL_NAME], _arguments(inner))
    return None


def _arguments(call: dict[str, Any]) -> str:
    """As text, whatever the order of their names."""
    given = next((call[name] for name in _ARGUMENTS if call.get(name) is not None), None)
    if isinstance(given, dict):
        given = dict(sorted(given.items(), key=lambda pair: str(pair[0])))
    return as_text(given)[:MAX_ARGUMENTS]
