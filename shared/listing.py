"""Texts that nobody vouches for, as data of a prompt and as words of a report: one line, bounded, without a tag."""

import re
from typing import Annotated

from pydantic import AfterValidator

from shared.wording import clean, shortened

_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_LOOKED_AT = 20  # times the length that is wanted: of a longer text the rest is not looked at


def line(text: str, longest: int) -> str:
    """One line of at most `longest` characters, with `…` where it is cut; no control character, no lone surrogate."""
    told = _BLANK.sub(" ", clean(text[: _LOOKED_AT * longest])).strip()
    return shortened(told, longest)


def datum(text: str, longest: int) -> str:
    """A line for a prompt, in which it can write no delimiter: these are tags that begin a line."""
    return line(text, longest).replace("<", "&lt;")


def _at_most(longest: int) -> AfterValidator:
    return AfterValidator(lambda text: line(text, longest))


Name = Annotated[str, _at_most(80)]  # of a model: cut and not refused, since a long name is no reason to pay twice
Sentence = Annotated[str, _at_most(300)]
