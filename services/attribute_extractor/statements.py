"""What a yes/no attribute claims, as sentences: as its author would write it and as the speaker would say it.

user_satisfied, "Whether the user is satisfied"   the user is satisfied · I am satisfied · satisfied
                                                  the user is not satisfied · I am not satisfied · not satisfied
"""

import re
from dataclasses import dataclass
from typing import Literal

from services.attribute_extractor.language import core

Speaker = Literal["user", "assistant"]

_SPEAKERS: dict[Speaker, str] = {
    "user": r"users?|customers?|clients?|callers?|persons?|people|visitors?|buyers?|guests?|patients?|students?",
    "assistant": r"assistants?|agents?|bots?|models?|ai|chatbots?|systems?|support|advisers?|representatives?",
}
_OPENING = re.compile(
    r"^(?:set (?:this |it )?to )?(?:(?:true|yes|1)\b\W{0,3})?"
    r"(?:indicates?|says|tells|states?|shows|flags?|marks?)?\W{0,2}(?:whether(?: or not)?|iff?|when|that)?\s+",
    re.IGNORECASE,
)
_AUXILIARY = r"is|are|was|were|has|have|had|can|could|will|would|should|must|may|might"
_QUESTION = re.compile(
    rf"^(?P<aux>{_AUXILIARY}|do|does|did)\s+(?P<subject>(?:the|this|a|an|their|his|her|its)\s+(?!the\b|an?\b)\w+|\w+)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_FIRST_AUXILIARY = re.compile(rf"\b({_AUXILIARY}|am)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IRREGULAR = {"is": "am", "are": "am", "has": "have", "was": "was", "does": "do", "were": "was"}
_OWN = {"their": "my", "his": "my", "her": "my", "they": "I", "he": "I", "she": "I", "them": "me", "him": "me"}
_MAX_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Claim:
    """Pairs of a statement and its denial; `speaker` is whose turns can make it, None where it may be anybody's."""

    pairs: tuple[tuple[str, str], ...]
    speaker: Speaker | None


def claim(name: str, description: str) -> Claim:
    """What the attribute claims; from its name alone where there is no description."""
    label = words(name)
    speaker = _speaker(f"{description} {label}")
    statement = _statement(description) or label
    texts = dict.fromkeys([statement, _spoken(statement, speaker), core(label) or label])
    return Claim(tuple((text, _denied(text)) for text in texts), speaker)


def words(name: str) -> str:
    """`user_satisfied` and `userSatisfied` → "user satisfied"."""
    return " ".join(word.lower() for word in _WORD.findall(name[:_MAX_LENGTH]))


def _statement(description: str) -> str:
    """The first sentence of the description without what introduces it, and a question turned into a statement."""
    first = re.split(r"(?<=[.?!;])\s|\n", description.strip()[:_MAX_LENGTH])[0].strip(" .?!;:")
    text = _OPENING.sub("", f"{first} ", count=1).strip()
    if question := _QUESTION.match(text):
        auxiliary = "" if question["aux"].lower() in ("do", "does", "did") else f"{question['aux'].lower()} "
        text = f"{question['subject']} {auxiliary}{question['rest']}"
    return text


def _speaker(text: str) -> Speaker | None:
    """Whose doing it is: whoever is named first."""
    found = [
        (match.start(), speaker)
        for speaker, names in _SPEAKERS.items()
        if (match := re.search(rf"\b(?:{names})\b", text, re.IGNORECASE))
    ]
    return min(found)[1] if found else None


def _spoken(statement: str, speaker: Speaker | None) -> str:
    """The statement in the speaker's own mouth: "the user wants a refund" → "I want a refund"."""
    if speaker is None:
        return statement
    subject = re.compile(rf"(?:\b(?:the|this|a|an)\s+)?\b(?:{_SPEAKERS[speaker]})\b(?:\s+(\w+))?", re.IGNORECASE)
    said = subject.sub(lambda match: f"I {_first_person(match[1])}" if match[1] else "I", statement, count=1)
    return re.sub(r"\w+", lambda match: _OWN.get(match[0].lower(), match[0]), said)


def _first_person(verb: str) -> str:
    if verb.lower() in _IRREGULAR:
        return _IRREGULAR[verb.lower()]
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    if re.search(r"(?:ss|sh|ch|x|zz|o)es$", verb):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def _denied(statement: str) -> str:
    """With "not" where English puts it."""
    if _FIRST_AUXILIARY.search(statement):
        return _FIRST_AUXILIARY.sub(r"\1 not", statement, count=1)
    if re.match(r"I\s", statement):
        return f"I do not{statement[1:]}"
    if third := re.match(r"((?:the|this|a|an)\s+\w+)\s+(.+)$", statement, re.IGNORECASE):
        verb, _, rest = third[2].partition(" ")
        return f"{third[1]} does not {_first_person(verb)} {rest}".strip()
    return f"not {statement}"
