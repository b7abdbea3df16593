"""A shallow tagger for requests: one part of speech a token, from its usual tag and its neighbours.

After Brill, "A simple rule-based part of speech tagger" (1992): the usual tag first, then rules of context. Requests
differ from news: they are full of commands ("cancel my order") and questions, so most rules are about verbs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from services.categorizer.naming.lexicon import is_verb, lemmas, usual_tag
from services.categorizer.naming.words import (
    ASKING,
    AUXILIARIES,
    BEFORE_VERBS,
    DETERMINERS,
    LINKS,
    PREPOSITIONS,
    PRONOUNS,
)

TOKENS = 60  # of a sentence that are read
LONGEST = 18  # letters of a word that may stand in a name
_TOKEN = re.compile(r"[^\W\d_][\w'+#-]*|\d[\w.,:/%-]*|[.,;:!?()\"]")
_ODD = re.compile(r"[\d_'+#]|[a-z][A-Z]|-.*-|-$")
_OBJECTS = frozenset({"me", "it", "them", "us", "him"})


class Tag(StrEnum):
    NOUN = "noun"
    VERB = "verb"  # base form
    DONE = "done"  # past or participle
    DOING = "doing"
    ADJECTIVE = "adjective"
    ADVERB = "adverb"
    DETERMINER = "determiner"
    PRONOUN = "pronoun"
    AUXILIARY = "auxiliary"
    PREPOSITION = "preposition"  # or conjunction
    NUMBER = "number"
    STOP = "stop"  # punctuation, and the edges of a sentence


NOMINAL = frozenset({Tag.NOUN, Tag.ADJECTIVE, Tag.DOING, Tag.DONE})  # what a noun phrase is made of


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    lower: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class _Word:
    """What is known before its neighbours are looked at."""

    fixed: Tag | None  # closed classes, numbers, punctuation
    usual: str  # Penn tag; empty if unknown
    verb: bool  # can be a base form
    noun: bool


_EDGE = Token(".", ".", Tag.STOP)


def tokens(sentence: str) -> list[Token]:
    """The first TOKENS of a sentence with their tags."""
    texts = _TOKEN.findall(sentence.replace("\u2019", "'"))[:TOKENS]
    lowers = [text.lower() for text in texts]
    tagged: list[Token] = []
    for place, (text, lower) in enumerate(zip(texts, lowers, strict=True)):
        following = texts[place + 1] if place + 1 < len(texts) else "."
        tagged.append(Token(text, lower, _tag(_word(lower), lower, tagged, following)))
    return tagged


def fits_name(text: str) -> bool:
    """Whether a word looks like a word: no digit, underscore, camelCase, apostrophe, and of a sensible length."""
    return 1 < len(text) <= LONGEST and not _ODD.search(text)


@lru_cache(50_000)
def _word(lower: str) -> _Word:
    usual = usual_tag(lower)
    parts = lemmas(lower) if len(lower) <= 2 * LONGEST else {}
    return _Word(_fixed(lower), usual, is_verb(lower) if parts else False, "NOUN" in parts or not parts)


def _fixed(lower: str) -> Tag | None:
    if not lower[0].isalpha():
        return Tag.NUMBER if lower[0].isdigit() else Tag.STOP
    classes = (
        (AUXILIARIES, Tag.AUXILIARY),
        (PRONOUNS, Tag.PRONOUN),
        (DETERMINERS, Tag.DETERMINER),
        (PREPOSITIONS, Tag.PREPOSITION),
    )
    return next((tag for words, tag in classes if lower in words), None)


def _tag(word: _Word, lower: str, before: list[Token], following: str) -> Tag:
    if word.fixed is not None:
        return word.fixed
    previous = before[-1] if before else _EDGE
    if word.verb and lower != "like" and _is_command(word, before, previous, following):
        return Tag.VERB
    inside_phrase = previous.tag in (Tag.DETERMINER, Tag.ADJECTIVE, Tag.NUMBER)
    if inside_phrase and word.noun and word.usual[:1] in ("N", "V", "") and word.usual not in ("VBN", "VBD"):
        return Tag.NOUN
    if word.verb and previous.tag is Tag.NOUN and word.usual in ("VB", "VBP") and _is_asked(before):
        return Tag.VERB
    return _usual(word, lower, previous.tag)


def _is_command(word: _Word, before: list[Token], previous: Token, following: str) -> bool:
    """ "to cancel", "please cancel", "I cancel", and "cancel my" at the start of a clause."""
    if previous.lower in BEFORE_VERBS:  # "used to cancel", "charged to card": a noun follows a participle + to
        return not (previous.lower == "to" and len(before) > 1 and before[-2].tag is Tag.DONE)
    if previous.tag not in (Tag.STOP, Tag.PREPOSITION) or previous.lower in LINKS:
        return False
    lower = following.lower()
    object_follows = lower in DETERMINERS or lower in _OBJECTS or following[0].isdigit() or following.istitle()
    return word.usual in ("VB", "VBP") or object_follows


def _is_asked(before: list[Token]) -> bool:
    """ "how long does a transfer": a verb is still to come."""
    for token in reversed(before):
        if token.tag in (Tag.VERB, Tag.STOP):
            return False
        if token.lower in ASKING:
            return True
    return False


def _usual(word: _Word, lower: str, previous: Tag) -> Tag:
    usual = word.usual
    if usual.startswith("N"):
        return Tag.NOUN
    if usual in ("VB", "VBP", "VBZ"):
        if word.verb and previous is not Tag.NOUN:
            return Tag.VERB
        nominal = previous in (Tag.NOUN, Tag.DETERMINER, Tag.ADJECTIVE, Tag.PREPOSITION)
        return Tag.NOUN if word.noun and nominal else Tag.DONE
    if usual in ("VBD", "VBN") or (not usual and lower.endswith("ed")):
        return Tag.DONE
    if usual == "VBG" or (not usual and lower.endswith("ing")):
        return Tag.DOING
    if usual.startswith("J"):
        return Tag.ADJECTIVE
    return Tag.ADVERB if usual else Tag.NOUN
