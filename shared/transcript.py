"""One turn of a conversation as a model reads it, with less of what tells least where it has to be short.

    User: My parcel is lost.
    Assistant: Let me look.
    Tool call: find_order {"id":"W1"}
    Tool error: Error: order not found

No text can write a role that is not its own: a line that begins like one gets a bar in front. Else texts stay as they
are, but for control characters, which become spaces.
"""

import re
from dataclasses import dataclass

from shared.llm.tokens import estimate_tokens
from shared.messages import Role, Turn
from shared.tool_errors import is_error

FIRST, ENDING = 4_000, 400  # tokens of the user's first turn, and of the last one
ALLOWED: dict[Role, int] = {"user": 800, "assistant": 100, "tool": 32, "system": 24}  # tokens of any other
ARGUMENTS, ERROR = 32, 120  # of a call's arguments, and of a result that is an error
DENSEST = 8  # characters of a token, at most: what is longer is cut before it is counted
MARK = 5  # tokens of the mark
LEAST = 16  # tokens: less than this is not worth a cut
NOTHING = ("", "{}")
HEAD = 0.65  # of what is left of a text: its beginning; the rest is its end

_ROLES: dict[Role, str] = {"user": "User", "assistant": "Assistant", "tool": "Tool", "system": "System"}
_CLAIM = re.compile(r"^(?=[^\S\n]{0,20}(?:user|assistant|system|tool(?:\s(?:call|error))?)[^\S\n]{0,5}:)", re.I | re.M)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Line:
    """`text` as shown, of which `tokens` is the size. length: characters of the whole, without a system's."""

    text: str
    tokens: int
    length: int
    is_error: bool = False


def whole(turn: Turn) -> Line:
    return _line(turn, turn.text, [call.arguments for call in turn.calls])


def brief(turn: Turn, most: int = 0) -> Line:
    """Each part of the turn within what its role is allowed, or `most` tokens if that is more."""
    allowed = max(most, ERROR if _failed(turn) else ALLOWED[turn.role])
    return _line(turn, shortened(turn.text, allowed), [shortened(call.arguments, ARGUMENTS) for call in turn.calls])


def shortened(text: str, tokens: int) -> str:
    """The text, or its beginning and end with the number of characters between, `[120 cut]`: about `tokens` long."""
    sample = text[: tokens * DENSEST]
    size = estimate_tokens(sample)
    if len(sample) == len(text) and size <= max(tokens, LEAST):
        return text
    kept = int(len(sample) * max(tokens - MARK, 0) / max(size, tokens))
    head = int(kept * HEAD)
    tail = text[len(text) - (kept - head) :]
    return f"{text[:head]} [{len(text) - kept} cut] {tail}"


def plain(text: str) -> str:
    """Without control characters, tabs and line feeds aside."""
    return _CONTROL.sub(" ", text)


def _line(turn: Turn, text: str, arguments: list[str]) -> Line:
    failed = _failed(turn)
    role = "Tool error" if failed else _ROLES[turn.role]
    lines = [f"{role}: {_owned(text)}"] if text or not turn.calls else []
    for call, given in zip(turn.calls, arguments, strict=True):
        lines.append(f"Tool call: {_owned(call.name if given in NOTHING else f'{call.name} {given}')}")
    shown = "\n".join(lines)
    of_all = len(turn.text) + sum(len(call.arguments) for call in turn.calls)
    unread = 0 if turn.role == "system" else of_all - len(text) - sum(map(len, arguments))
    return Line(shown, estimate_tokens(shown), len(shown) + max(unread, 0), failed)


def _owned(text: str) -> str:
    return _CLAIM.sub("| ", plain(text))


def _failed(turn: Turn) -> bool:
    return turn.role == "tool" and is_error(turn)
