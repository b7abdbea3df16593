"""What was said in a trace: turns out of the values that a prompt looked up, and sentences out of text.

Read are lists of messages of OpenAI, Anthropic, Gemini and LangChain (plain, `data`, serialised `kwargs`, pairs of role
and text), also below `messages`, `choices` or `generations`. Anything else is one turn of the user. Nothing here raises
on an odd shape: traces hold what they hold.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from shared.prompts import as_text

MAX_TURNS = 10_000
MAX_TEXT = 100_000
MAX_TOOLS = 1_000
MAX_TOOL_NAME = 200
MAX_BLOCKS = 10_000
MAX_DEPTH = 20

Role = Literal["user", "assistant", "tool", "system"]

_ROLES: dict[str, Role] = {
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
_RESULTS = ("tool_result", "function_call_output")
_ITEMS: dict[str, Role] = {"function_call": "assistant", "function_call_output": "tool"}  # OpenAI's Responses
_CONTENT = ("content", "parts", "text", "tool_calls", "function_call", "additional_kwargs")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `text` has at most MAX_TEXT characters; `tools` are the names of the tools that it calls."""

    role: Role
    text: str
    tools: tuple[str, ...] = ()


def turns(values: list[Any]) -> list[Turn]:
    """The turns of all values in order; messages that repeat those before them at their start are taken once."""
    found: list[Turn] = []
    conversation: list[Turn] = []
    for value in values:
        messages = _messages(value, MAX_DEPTH)
        if messages is None:
            found += _other(value)
            continue
        read = list(islice(_read(messages), MAX_TURNS))
        if conversation and _spoken(read[: len(conversation)]) == _spoken(conversation):
            read = read[len(conversation) :]
            conversation = [*conversation, *read]
        else:
            conversation = read
        found += read
    return found[:MAX_TURNS]


def messages_of(value: Any) -> list[Any]:
    """The messages that a value holds, as they are; none where it is no conversation."""
    return _messages(value, MAX_DEPTH) or []


def split(text: str) -> list[str]:
    """The sentences of a text as they are written: up to a full stop, ! or ? with space after it, or a line's end."""
    return [sentence for part in _SENTENCE.split(text) if (sentence := part.strip())]


def folded(sentence: str) -> str:
    """Lower case, numbers as 0, single spaces: templates differ in their numbers."""
    return " ".join(_DIGITS.sub("0", sentence.lower()).split())


def sentences(text: str) -> list[str]:
    """The folded sentences of a text."""
    return [folded(sentence) for sentence in split(text)]


def sentence_key(sentence: str) -> str:
    """16 hex digits, the same for a sentence as it is written and folded."""
    return hashlib.blake2b(folded(sentence).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _spoken(read: list[Turn]) -> list[tuple[Role, str]]:
    return [(turn.role, turn.text) for turn in read]


def _other(value: Any) -> list[Turn]:
    text = as_text(value)[:MAX_TEXT].strip()
    return [Turn("user", text)] if text else []


def _messages(value: Any, depth: int) -> list[Any] | None:
    """The messages that a value holds, or None where it is no conversation."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return _below(value, depth - 1)
    if not isinstance(value, list | tuple) or not value:
        return None
    if len(value) == 1 and isinstance(value[0], list | tuple) and not _is_message(value[0]):
        return _messages(value[0], depth - 1)  # LangChain's batch of one
    return list(value) if any(_is_message(item) for item in value) else None


def _below(value: dict[str, Any], depth: int) -> list[Any] | None:
    """The messages of a dict: below `messages` (or `input`, `output`), of OpenAI's choices, or the dict itself."""
    held = value.get("messages")
    if isinstance(held, str) and held:
        return [held]
    if isinstance(held, list | tuple) and held and all(isinstance(item, str) for item in held):
        return [held] if _is_message(held) else list(held)
    for inner in (held, value.get("input"), value.get("output")):
        if isinstance(inner, dict | list | tuple) and (messages := _messages(inner, depth)):
            return messages
    for name in ("choices", "generations"):
        if isinstance(outer := value.get(name), list | tuple) and outer:
            return _chosen(outer)
    return [value] if _is_message(value) else None


def _chosen(outer: Iterable[Any]) -> list[Any] | None:
    """The first of each prompt's answers: of several, one was used."""
    first = next(iter(outer))
    if isinstance(first, list | tuple):
        first = first[0] if first else None
    if not isinstance(first, dict):
        return None
    if _is_message(first.get("message")):
        return [first["message"]]
    return [{"role": "assistant", "content": first["text"]}] if isinstance(first.get("text"), str) else None


def _is_message(value: Any) -> bool:
    return _role(value) is not None


def _role(value: Any) -> Role | None:
    """The role of what looks like a message; a role of the application's own is the user's."""
    if isinstance(value, list | tuple):
        pair = len(value) == 2 and all(isinstance(part, str) for part in value)
        return _ROLES.get(value[0].lower()) if pair else None
    if not isinstance(value, dict):
        return None
    if isinstance(kind := value.get("type"), str) and kind in _ITEMS:
        return _ITEMS[kind]
    fields = _fields(value)
    if not any(name in fields for name in _CONTENT):
        return None
    for name in (fields.get("role"), fields.get("type"), value.get("type"), _class(value)):
        if isinstance(name, str) and (role := _ROLES.get(name.lower().removesuffix("messagechunk"))):
            return role
    return "user" if isinstance(fields.get("role"), str) and "content" in fields else None


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


def _read(messages: Iterable[Any]) -> Iterator[Turn]:
    for message in messages:
        role = _role(message)
        if role is None:
            yield from _other(message)
            continue
        turn = _turn(message, role)
        if turn.text or turn.tools:
            yield turn


def _turn(message: Any, role: Role) -> Turn:
    if not isinstance(message, dict):
        return Turn(role, message[1][:MAX_TEXT].strip())
    fields = _fields(message)
    content = next((fields[name] for name in ("content", "parts", "text", "output") if fields.get(name)), None)
    blocks = content if isinstance(content, list) else []
    if blocks and all(isinstance(block, dict) and block.get("type") in _RESULTS for block in blocks):
        role = "tool"  # Anthropic hands results over in the user's name
    return Turn(role, _text(content), _tools(fields, [fields, *blocks]))


def _text(content: Any) -> str:
    """The text of all blocks, one a line, cut while it is gathered."""
    found: list[str] = []
    left = MAX_TEXT
    for part in islice(_texts(content, MAX_DEPTH), MAX_BLOCKS):
        found.append(part[:left])
        left -= len(found[-1]) + 1
        if left <= 0:
            break
    return "\n".join(found)[:MAX_TEXT].strip()


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


def _tools(fields: dict[str, Any], blocks: list[Any]) -> tuple[str, ...]:
    """LangChain writes the same calls in up to three places: the first that has any counts."""
    more = fields.get("additional_kwargs")
    more = more if isinstance(more, dict) else {}
    used = [block for block in blocks if isinstance(block, dict) and _is_call(block)]
    for calls in (fields.get("tool_calls"), used, more.get("tool_calls"), fields.get("function_call")):
        if names := _names(calls):
            return names
    return _names(more.get("function_call"))


def _is_call(block: dict[str, Any]) -> bool:
    return block.get("type") in _CALLS or "functionCall" in block


def _names(calls: Any) -> tuple[str, ...]:
    listed = calls if isinstance(calls, list | tuple) else [calls]
    found = (_name(call) for call in listed[:MAX_TOOLS])
    return tuple(name for name in found if name)


def _name(call: Any) -> str | None:
    if not isinstance(call, dict):
        return None
    for inner in (call.get("function"), call.get("functionCall"), call.get("function_call"), call):
        if isinstance(inner, dict) and isinstance(name := inner.get("name"), str):
            return name[:MAX_TOOL_NAME]
    return None
