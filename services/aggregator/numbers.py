"""Numbers in sentences, so that none is told that nobody counted."""

import re
from collections.abc import Iterable

Number = tuple[str, float]  # unit ("" where it has none) and value

_NUMBER = re.compile(
    r"(?i)(?P<dollars>\$ ?)?(?P<value>\d[\d,]{0,30}(?:\.\d{1,30})?)"
    r"(?: ?(?P<unit>%|(?:percent|per cent|ms|milliseconds?|s|sec|seconds?|min|minutes?|h|hours?|dollars?)\b)"
    r"|(?P<glued>[^\W\d_]\w{0,20}))?"
)
_SMALL = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS = {word: float(value) for value, word in enumerate(_SMALL, 2)}
_WORD = re.compile(rf"(?i)\b({'|'.join(_WORDS)})\b")
_COMPUTED = re.compile(
    r"(?i)\b(?:half|halves|quarters?|twice|thrice|doubl\w{1,3}|tripl\w{1,3}|quadrupl\w{1,3}|\w{1,12}fold|"
    r"(?:a|one|two)[ -]thirds?|dozens?|hundreds?|thousands?)\b"
)
_UNITS = {"%": "%", "p": "%", "ms": "ms", "mil": "ms", "s": "s", "m": "min", "h": "h", "d": "$"}


def numbers(text: str) -> set[Number]:
    """All that stand in digits, or are small and written out."""
    found = {(_unit(one), _value(one["value"])) for one in _NUMBER.finditer(text)}
    return found | {("", _WORDS[one[1].lower()]) for one in _WORD.finditer(text)}


def computed(text: str) -> str | None:
    """A word that tells a number which is printed nowhere, such as "twice"."""
    found = _COMPUTED.search(text)
    return found[0] if found else None


def strange(text: str, known: Iterable[str]) -> list[str]:
    """The numbers of a text that stand in none of the known ones, as they are written."""
    allowed = {one for line in known for one in numbers(line)}
    digits = [one[0].strip() for one in _NUMBER.finditer(text) if (_unit(one), _value(one["value"])) not in allowed]
    return digits + [one[0] for one in _WORD.finditer(text) if ("", _WORDS[one[1].lower()]) not in allowed]


def _unit(found: re.Match[str]) -> str:
    if found["dollars"]:
        return "$"
    unit = (found["unit"] or "").lower()
    return next((short for start, short in _UNITS.items() if unit.startswith(start)), found["glued"] or "")


def _value(digits: str) -> float:
    return float(digits.rstrip(",").replace(",", ""))
