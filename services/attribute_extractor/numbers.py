"""A number that is stated beside the words of its attribute; null where there is none, or more than one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.attribute_extractor.language import stems
from services.attribute_extractor.reading import Piece
from services.attribute_extractor.statements import words
from shared.features import Array

_UNITS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"usd", "dollar", "dollars", "$"}), r"\$|usd|dollars?|bucks"),
    (frozenset({"eur", "euro", "euros", "€"}), r"€|eur|euros?"),
    (frozenset({"gbp", "pound", "pounds", "£"}), r"£|gbp|pounds?"),
    (frozenset({"percent", "percentage", "%"}), r"%|percent|per cent"),
    (frozenset({"second", "seconds", "secs"}), r"s|secs?|seconds?"),
    (frozenset({"minute", "minutes", "mins"}), r"min|mins|minutes?"),
    (frozenset({"hour", "hours"}), r"h|hrs?|hours?"),
    (frozenset({"day", "days"}), r"days?"),
    (frozenset({"week", "weeks"}), r"weeks?"),
    (frozenset({"month", "months"}), r"months?"),
    (frozenset({"year", "years", "age"}), r"years?|yrs?"),
    (frozenset({"kg", "kilogram", "kilograms"}), r"kg|kilos?|kilograms?"),
    (frozenset({"km", "kilometer", "kilometers", "kilometre", "kilometres"}), r"km|kilomet(?:er|re)s?"),
)
_DIGITS = r"\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,6})?|\d{1,12}(?:\.\d{1,6})?"
_REACH = 40  # characters between a number without a unit and the attribute's word


@dataclass(frozen=True, slots=True)
class Number:
    """A number attribute: the words that stand beside it, and the unit, if its name or description has one."""

    words: frozenset[str]
    stated: re.Pattern[str]
    has_unit: bool

    @classmethod
    def of(cls, name: str, description: str) -> "Number":
        named = set(re.findall(r"[a-z]+|[$€£%]", f"{words(name)} {description[:300]}".lower()))
        unit = next(((known, pattern) for known, pattern in _UNITS if known & named), None)
        if unit is None:
            return cls(
                stems(words(name)), re.compile(rf"(?<![\w.,:/-])(-?(?:{_DIGITS}))(?!\w|[:/-]\d)"), has_unit=False
            )
        own = " ".join(word for word in words(name).split() if word not in unit[0])
        stated = rf"(?<!\w)(?:{unit[1]})\s?({_DIGITS})|(?<![\w.,:/-])(-?(?:{_DIGITS}))\s?-?(?:{unit[1]})(?!\w)"
        return cls(stems(own), re.compile(stated, re.IGNORECASE), has_unit=True)

    def judge(self, said: Sequence[Piece], vectors: Array) -> float | None:
        """The one number that is stated, as often as it may be; null if there are several."""
        found = {value for piece in said for value in self._in(piece.text)}
        return found.pop() if len(found) == 1 else None

    def _in(self, text: str) -> list[float]:
        """Numbers of a piece that has a word of the attribute; without a unit, that stand near it."""
        if self.words and not self.words & stems(text):
            return []
        return [
            float(next(part for part in match.groups() if part).replace(",", ""))
            for match in self.stated.finditer(text)
            if self.has_unit or self._near(text, match)
        ]

    def _near(self, text: str, number: re.Match[str]) -> bool:
        around = text[max(0, number.start() - _REACH) : number.end() + _REACH]
        return bool(self.words & stems(around))
