"""A string, a number, a boolean or a choice out of a reading. None: nothing in the data says so."""

import re
from collections.abc import Sequence
from typing import Any

from insights.fake_model.blocks import Block
from insights.fake_model.fields import Field
from insights.fake_model.items import Item, items_of
from insights.fake_model.reading import Reading
from insights.fake_model.turns import without_tags
from insights.fake_model.words import cut, sentences, stem, stems, words

NONE_OF_THESE = re.compile(r"(?i)\b(?:none|other|unknown|unclear|neither|n/?a)\b")
SHORT = 240  # characters of a summary
NAME_WORDS = 3
SLUG_WORDS = 3
GREETING = 5  # fewer words say nothing

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:\.\d{1,6})?(?![\w])")
_TRUE = frozenset(("true", "yes", "1"))
_FALSE = frozenset(("false", "no", "0"))
_NEGATIONS = frozenset(("not", "no", "never", "don't", "didn't", "isn't", "wasn't", "hardly", "without"))
_NEAR = 3  # words between a negation and what it negates


def statement(field: Field, reading: Reading) -> str | None:
    """What the data says in so many words: `field=value`."""
    found = None if field.is_named else field.stated.search(reading.text)
    return found[1].strip().rstrip(".!?") if found else None


def boolean(field: Field, reading: Reading) -> bool:
    """As stated; else whether a sentence holds all that the name means, or most that the description does."""
    said = (statement(field, reading) or "").lower().split(" ")[0]
    if said in _TRUE | _FALSE:
        return said in _TRUE
    return any(_affirms(sentence, field) for sentence in reading.sentences)


def _affirms(sentence: str, field: Field) -> bool:
    found = [stem(word) for word in words(sentence)]
    here = frozenset(found)
    meant = field.stems
    if not meant or not meant <= here:
        meant = field.described & here
        if len(meant) < 2 or len(meant) * 3 < len(field.described) * 2:
            return False
    at = min(found.index(one) for one in meant)
    return _NEGATIONS.isdisjoint(words(sentence)[max(0, at - _NEAR) : at])


def number(field: Field, reading: Reading) -> float | None:
    """As stated; else the number nearest to the words of the name, in a sentence that holds them all."""
    if (stated := statement(field, reading)) and (found := _NUMBER.match(stated)):
        return float(found[0])
    for sentence in reading.sentences:
        if field.stems and field.stems <= stems(sentence):
            at = _position(sentence, field)
            if numbers := list(_NUMBER.finditer(sentence)):
                return float(min(numbers, key=lambda one: abs(one.start() - at))[0])
    return None


def _position(sentence: str, field: Field) -> int:
    """The offset of the first word of the name."""
    places = (sentence.lower().find(word) for word in words(sentence) if stem(word) in field.stems)
    return min((place for place in places if place >= 0), default=0)


def choice(field: Field, values: Sequence[Any], reading: Reading) -> Any:
    """The value that shares most words with the data, its line in the prompt included; None where none does."""
    stated = (statement(field, reading) or "").lower()
    texts = [str(value) for value in values]
    for value, text in zip(values, texts, strict=True):
        if stated and (stated == text.lower() or stated.startswith(f"{text.lower()} ")):
            return value
    scores = [_likeness(text, reading) for text in texts]
    best = max(scores, default=0.0)
    return values[scores.index(best)] if best > 0 else None


def _likeness(text: str, reading: Reading) -> float:
    """Shares of the value's words in what the user says (twice) and in all; its description counts half."""
    if NONE_OF_THESE.search(text):
        return 0.0
    own, described = stems(text), stems(_line_about(text, reading.asked))
    return _share(own, reading) + 0.5 * _share(described - own, reading)


def _share(wanted: frozenset[str], reading: Reading) -> float:
    if not wanted:
        return 0.0
    return (2 * len(wanted & reading.said_stems) + len(wanted & reading.stems)) / (3 * len(wanted))


def _line_about(text: str, asked: str) -> str:
    """What stands behind the value in a line of the prompt that begins with it."""
    found = re.search(
        rf"(?m)^[^\w\n]{{0,12}}(?:[\w-]{{1,12}}[.):\]]{{1,2}}\s{{1,4}})?{re.escape(text)}\W(.{{0,400}})", asked
    )
    return found[1] if found else ""


def option(field: Field, reading: Reading) -> Item | None:
    """One of those that a block of the field's name gives (`<categories>` for `category`); None: it gives none.

    Its label is what the prompt calls it by, its text its name.
    """
    found = [one for block in reading.blocks for one in _options(field, block)]
    if not found:
        return None
    names = [one.text for one in found]
    chosen = choice(field, names, reading)
    return found[names.index(fallback(names) if chosen is None else chosen)]


def _options(field: Field, block: Block) -> list[Item]:
    elements = re.findall(rf"(?i)<{re.escape(field.name)}>([^<>]{{1,500}})</{re.escape(field.name)}>", block.text)
    if elements:
        return [Item(str(place), text.strip()) for place, text in enumerate(elements, 1)]
    if not field.stems & {stem(word) for word in words(block.tag)}:
        return []
    return [Item(one.label, one.text.partition(":")[0].strip()) for one in items_of([block], "")]


def string(field: Field, reading: Reading) -> str | None:
    """After its kind: a name of frequent words, the first sentences, a quote; any other, what the data states."""
    if given := option(field, reading):
        return given.text if given.label.isdecimal() else given.label
    if field.kind in ("name", "text") and (stated := statement(field, reading)):
        return stated
    match field.kind:
        case "name":
            return " ".join(reading.frequent[:NAME_WORDS]).capitalize()
        case "slug":
            return "_".join(reading.frequent[:SLUG_WORDS])
        case "summary":
            return summary(reading)
        case "description":
            return _about(reading)
        case "gist":
            return _first(reading)
        case "quote":
            return sentence_about(field, reading) or _first(reading)
        case _:
            return sentence_about(field, reading)


def _first(reading: Reading) -> str | None:
    """The first sentence that is no mere greeting."""
    found = reading.sentences
    return next((one for one in found if len(words(one)) >= GREETING), found[0] if found else None)


def fallback(values: Sequence[Any]) -> Any:
    """The value that stands for none of the others, else the first."""
    return next((value for value in values if NONE_OF_THESE.search(str(value))), values[0])


def summary(reading: Reading) -> str:
    """The first sentences that the user says."""
    chosen = ""
    for sentence in sentences(reading.said):
        if chosen and len(chosen) + len(sentence) >= SHORT:
            break
        chosen = f"{chosen} {sentence}".strip()
    return cut(chosen, SHORT)


def _about(reading: Reading) -> str:
    """The sentence that holds most of the frequent words."""
    frequent = frozenset(stem(word) for word in reading.frequent[: 2 * NAME_WORDS])
    best = max(reading.sentences, key=lambda one: len(frequent & stems(one)), default="")
    return cut(without_tags(best).strip(), SHORT)


def sentence_about(field: Field, reading: Reading) -> str | None:
    """Verbatim, the sentence that shares most words with the field's name and description; None where none does."""
    wanted = field.stems | field.described
    best = max(reading.sentences, key=lambda one: len(wanted & stems(one)), default="")
    return best if wanted & stems(best) else None
