"""What is known of an English word: lemmas and inflections (lemminflect) and its usual tag.

The usual tags are Eric Brill's lexicon of the Wall Street Journal and Brown corpora (MIT; additions CC-BY 3.0), read as
a file of the package textblob, which is not imported: it would load nltk.
"""

import importlib.util
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from lemminflect import getAllLemmas, getInflection

_KEPT = 50_000  # words; above it the oldest are forgotten, since traces hold any number of different words


@cache
def usual_tags() -> Mapping[str, str]:
    """Word form -> its commonest Penn tag, such as NN. Empty where textblob is missing."""
    package = importlib.util.find_spec("textblob")
    if package is None or package.origin is None:
        return {}
    tags: dict[str, str] = {}
    with (Path(package.origin).parent / "en" / "en-lexicon.txt").open(encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) >= 2 and not line.startswith(";;;"):
                tags.setdefault(fields[0], fields[1])
    return tags


def usual_tag(word: str) -> str:
    """Of this form in this case; empty where the lexicon lacks it."""
    return usual_tags().get(word, "")


@lru_cache(_KEPT)
def lemmas(word: str) -> Mapping[str, tuple[str, ...]]:
    """Part of speech (NOUN, VERB, ADJ, ADV, PROPN, AUX) -> possible lemmas. Empty for words nobody knows."""
    found: dict[str, tuple[str, ...]] = getAllLemmas(word)
    return found


@lru_cache(_KEPT)
def lemma(word: str, part: str) -> str:
    """The likeliest one: a word of the lexicon, then the shorter ("axes" -> "axis" and "axe" -> "axe").

    A noun whose plural would be written otherwise stays as it is: "dice" are not "dies".
    """
    found = lemmas(word).get(part) or (lemmas(word).get("PROPN") if part == "NOUN" else None)
    if not found:
        return word
    likeliest = min(found, key=lambda form: (form not in usual_tags(), len(form), form))
    return word if part == "NOUN" and inflect(likeliest, "NNS") != word else likeliest


@lru_cache(_KEPT)
def inflect(word: str, tag: str) -> str:
    """`word` in the form of a Penn tag: ("card", "NNS") -> "cards"."""
    found: tuple[str, ...] = getInflection(word, tag=tag)
    return found[0] if found else word


def is_verb(word: str) -> bool:
    """Whether it is the base form of a verb."""
    return word in lemmas(word).get("VERB", ())


def is_known(word: str) -> bool:
    return word in usual_tags() or bool(lemmas(word))


def roots(word: str) -> set[str]:
    """The word with its lemmas as noun and as verb: under these it is counted."""
    return {word, lemma(word, "NOUN"), lemma(word, "VERB")}
