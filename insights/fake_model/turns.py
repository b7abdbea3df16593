"""Who says what in a trace that is quoted in a prompt, whether as JSON, as lines `User: …`, or in tags."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_USER = "user|human|customer|client"
_OTHER = "assistant|ai|agent|bot|tool|system|function|developer"
_INSTRUCTING = ("system", "developer")
_JSON_ROLE = re.compile(rf'"(?:role|type)"\s*:\s*"({_USER}|{_OTHER})"', re.IGNORECASE)
_JSON_CONTENT = re.compile(r'"(?:content|text)"\s*:\s*(?=["\[])')
_LINE_ROLE = re.compile(
    rf"(?mi)^(?:[ \t>*#\[(-]{{0,6}}|[ \t]{{0,40}}<[a-z_]{{1,20}}>)({_USER}|{_OTHER})"
    rf"(?:[^:\n\w][^:\n]{{0,24}})?(?::|\]|(?=\n))|^[ \t]{{0,40}}<[^<>\n]{{0,40}}?\b({_USER}|{_OTHER})\b[^<>\n]{{0,40}}>"
)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str

    @property
    def is_user(self) -> bool:
        return self.role in _USER.split("|")


def without_tags(text: str) -> str:
    """A tag ends a sentence, and is none of it."""
    return _TAG.sub("\n", text)


def turns_of(text: str) -> list[Turn]:
    """The turns in their order, without what instructs the assistant; none where the text is no conversation."""
    found = [turn for turn in _json_turns(text) if turn.text] or list(_line_turns(text))
    return [turn for turn in found if turn.role not in _INSTRUCTING]


def _json_turns(text: str) -> Iterator[Turn]:
    """Found by role and not by parsing the whole, since a long trace is cut somewhere."""
    roles = list(_JSON_ROLE.finditer(text))
    for place, role in enumerate(roles):
        end = roles[place + 1].start() if place + 1 < len(roles) else len(text)
        content = _JSON_CONTENT.search(text, role.end(), end)
        if content is not None:
            yield Turn(role[1].lower(), _content(text[content.end() : end]))


def _content(text: str) -> str:
    try:
        value, _ = _DECODER.raw_decode(text)
    except (json.JSONDecodeError, RecursionError):
        return ""
    return content_text(value).strip()


def content_text(content: object) -> str:
    """A message's content: text, or parts that hold text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "\n".join(part for part in texts if isinstance(part, str))


def _line_turns(text: str) -> Iterator[Turn]:
    roles = list(_LINE_ROLE.finditer(text))
    for place, role in enumerate(roles):
        end = roles[place + 1].start() if place + 1 < len(roles) else len(text)
        yield Turn((role[1] or role[2]).lower(), without_tags(text[role.end() : end]).strip())
