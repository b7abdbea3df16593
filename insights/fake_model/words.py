"""Words and sentences, as simply as a stand-in needs them."""

import re
from collections.abc import Iterator
from functools import lru_cache

from shared.wording import shortened

_WORD = re.compile(r"[^\W\d_]{2,40}(?:'[^\W\d_]{1,3})?")
_END = re.compile(r"[.!?]+(?=[\s\"')\]]|$)|\s*\n\s*")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BULLETS = "-*• \t"
_SUFFIXES = ("ings", "ing", "ies", "ied", "ed", "es", "s", "e", "y")

_STOP = """
    a about after all also am an and any are as at be because been before being but by can could did do does doing
    don't for from get got had has have he hello her here hi him his how i i'd i'll i'm i've if in into is it it's
    its just let like me more most my need needs no not now of off ok okay on one only or other our out over please
    she should so some still such than thank thanks that that's the their them then there these they this to too up
    us very want wants was we were what when where which while who why will with would yes yet you your assistant
    user human agent system tool role content message messages request requests none null true false
"""
STOP = frozenset(_STOP.split())


def words(text: str) -> list[str]:
    """The words of a text in lower case; camelCase and snake_case come apart."""
    return [word.lower() for word in _WORD.findall(_HUMP.sub(" ", text).replace("_", " "))]


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """What `booking`, `booked` and `bookings` have in common; only good for comparing."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    return word[:-1] if word[-1] == word[-2] else word


def content_words(text: str) -> list[str]:
    return [word for word in words(text) if word not in STOP]


def stems(text: str) -> frozenset[str]:
    """The stems of what a text is about."""
    return frozenset(stem(word) for word in content_words(text))


def sentences(text: str) -> Iterator[str]:
    """The sentences, each verbatim and without the space or bullet before it."""
    start = 0
    for found in _END.finditer(text):
        end = found.end() if found[0].strip() else found.start()
        if sentence := text[start:end].strip().lstrip(_BULLETS):
            yield sentence
        start = found.end()
    if sentence := text[start:].strip().lstrip(_BULLETS):
        yield sentence


def cut(text: str, length: int) -> str:
    """At most `length` characters: whole sentences, clauses or words where there are such."""
    return shortened(text, length).rstrip(" …") if len(text) > length else text
