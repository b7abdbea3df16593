"""What was said in a trace: turns out of the values that a prompt looked up, and sentences out of text.

Read are lists of messages (`shared/messages.py` says whose), also below `messages`, `choices` or `generations`.
Anything else is one turn of the user. Nothing here raises on an odd shape: traces hold what they hold.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from shared.messages import MAX_DEPTH, MAX_TEXT, Turn, gathered, is_message, read
from shared.prompts import as_text

MAX_TURNS = 10_000
MAX_PLACES = 100
CUT = "…"

_SHORT = ("[A-Z]", r"e\.g", r"i\.e", "Mr", "Mrs", "Ms", "Dr", "St", "vs")  # a full stop after these ends nothing
_NOT_SHORT = "".join(rf"(?<!\b{word}\.)" for word in _SHORT)
_SENTENCE = re.compile(rf"(?<=[.!?]){_NOT_SHORT}\s+|(?<=[。！？])\s*|\n+")
_DIGITS = re.compile(r"\d+")


def turns(values: list[Any]) -> list[Turn]:
    """The turns of all values in order. A conversation that comes again inside a later one is taken once, with that.

    Applications hand over what is new and give back all that was said, or the whole of both.
    """
    found: list[list[Turn]] = []
    latest: int | None = None  # where the latest conversation lies in `found`
    for value in values:
        messages = _messages(value, MAX_DEPTH)
        if messages is None:
            found.append(_other(value))
            continue
        told = list(islice(_read(messages), MAX_TURNS))
        if latest is not None and _repeats(told, found[latest]):
            del found[latest]
        latest = len(found)
        found.append(told)
    return list(islice(chain.from_iterable(found), MAX_TURNS))


def messages_of(value: Any) -> list[Any]:
    """The messages that a value holds, as they are; none where it is no conversation."""
    return _messages(value, MAX_DEPTH) or []


def split(text: str) -> list[str]:
    """The sentences of a text as they are written: up to a full stop, ! or ? before a space, or a line's end."""
    return [sentence for part in _SENTENCE.split(text) if (sentence := part.strip())]


def folded(sentence: str) -> str:
    """Lower case, numbers as 0, single spaces: templates differ in their numbers."""
    return " ".join(_DIGITS.sub("0", sentence.lower()).split())


def sentence_key(sentence: str) -> str:
    """16 hex digits, the same for a sentence as it is written and folded."""
    return hashlib.blake2b(folded(sentence).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _repeats(told: list[Turn], before: list[Turn]) -> bool:
    """Whether `before` was said in `told`, in one piece; looked for at a few places only."""
    whole, part = _spoken(told), _spoken(before)
    if not part:
        return False
    begins = (at for at, spoken in enumerate(whole) if spoken == part[0])
    return any(whole[at : at + len(part)] == part for at in islice(begins, MAX_PLACES))


def _spoken(told: list[Turn]) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in told]


def _read(messages: Iterable[Any]) -> Iterator[Turn]:
    for message in messages:
        told = read(message)
        yield from _other(message) if told is None else told


def _other(value: Any) -> list[Turn]:
    """What is no conversation, as one turn of the user."""
    structure = isinstance(value, dict | list | tuple)
    text = gathered(_lines(value)) if structure else as_text(value)[:MAX_TEXT].strip()
    return [Turn("user", text)] if text else []


def _lines(structure: Any) -> Iterator[str]:
    """Its strings and figures, one a line, so that a line that all traces share can be left out.

    What is more than a word stands by itself, and so does what stands alone; a word or a figure follows its name.
    """
    found = list(islice(_leaves(structure, "", MAX_DEPTH), 2))
    if len(found) == 1:
        yield found[0][1]
        return
    for name, text in _leaves(structure, "", MAX_DEPTH):
        yield f"{name}: {text}" if name and " " not in text.strip() else text


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Name and text of each value inside that is no structure itself; nothing where there is nothing."""
    if depth == 0:
        yield name, CUT
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, str(key), depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name, depth - 1)
    elif text := as_text(value).strip():
        yield name, text


def _messages(value: Any, depth: int) -> list[Any] | None:
    """The messages that a value holds, or None where it is no conversation."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return _below(value, depth - 1)
    if not isinstance(value, list | tuple) or not value:
        return None
    if len(value) == 1 and isinstance(value[0], list | tuple) and not is_message(value[0]):
        return _messages(value[0], depth - 1)  # LangChain's batch of one
    return list(value) if any(is_message(item) for item in value) else None


def _below(value: dict[str, Any], depth: int) -> list[Any] | None:
    """The messages of a dict: below `messages` (or `input`, `output`), of OpenAI's choices, or the dict itself."""
    held = value.get("messages")
    if isinstance(held, str) and held:
        return [held]
    if isinstance(held, list | tuple) and held and all(isinstance(item, str) for item in held):
        return [held] if is_message(held) else list(held)
    for inner in (held, value.get("input"), value.get("output")):
        if isinstance(inner, dict | list | tuple) and (messages := _messages(inner, depth)):
            return messages
    for name in ("choices", "generations"):
        if isinstance(outer := value.get(name), list | tuple) and outer:
            return _chosen(outer)
    return [value] if is_message(value) else None


def _chosen(outer: Iterable[Any]) -> list[Any] | None:
    """The first of each prompt's answers: of several, one was used."""
    first = next(iter(outer))
    if isinstance(first, list | tuple):
        first = first[0] if first else None
    if not isinstance(first, dict):
        return None
    if is_message(first.get("message")):
        return [first["message"]]
    return [{"role": "assistant", "content": first["text"]}] if isinstance(first.get("text"), str) else None
