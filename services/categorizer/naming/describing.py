"""One sentence on what people ask in a group, a typical request, and how it ends where that stands out."""

import re
from collections import Counter
from collections.abc import Sequence

from services.categorizer.naming.choosing import stems
from services.categorizer.naming.counts import Counts
from services.categorizer.naming.lexicon import lemma
from services.categorizer.naming.masks import quoted
from services.categorizer.naming.phrases import Kind
from services.categorizer.naming.reading import sentences
from services.categorizer.naming.scoring import Ranked
from services.categorizer.naming.words import PARTICLES, PREPOSITIONS
from services.categorizer.naming.writing import capitalised
from shared.content import folded
from shared.models import Conduct

QUOTE = 110  # characters
LOOKED_AT = 10  # most central requests that the quote is taken from
FURTHER = 2  # things that people ask beside the name
TEMPLATE = 0.3  # share of the requests that have the same sentence
SAID_BY = 0.1  # share of the requests, for these
_ENDINGS = (
    ("handed_over", "{} are handed over to a person"),
    ("refusal", "{} end with a refusal"),
    ("ends_in_question", "{} end with a question to the user"),
    ("last_result_error", "{} end after a failed tool call"),
    ("out_of_budget", "{} run out of steps or time"),
)
_SHARES = ((0.95, "nearly all"), (0.6, "most"), (0.4, "about half"), (0.28, "a third"), (0.2, "a quarter"))
_CLEAR = 0.6  # share that is told in any case
_STANDS_OUT = 1.5  # times the share elsewhere
_WORD = re.compile(r"[^\W\d_]+")


def describe(name: str, ranked: Ranked | None, counts: Counts, requests: Sequence[str], ending: str) -> str:
    """`requests` are of the group, the most central first; `ending` as `endings` tells it, or empty."""
    asked = _asked(name, ranked)
    quote = "" if "\u201c" in name else _typical(name, counts, requests[:LOOKED_AT])
    sentence = asked + (f", for example \u201c{quote}\u201d" if quote else "")
    return f"{sentence}." + (f" {ending[0].upper()}{ending[1:]}." if ending else "")


def _asked(name: str, ranked: Ranked | None) -> str:
    """ "People ask to cancel a flight or get a refund"."""
    named = next((one for one in ranked.candidates if capitalised(one.text) == name), None) if ranked else None
    if ranked is None or named is None:
        return f"{name}"
    further = _further(name, ranked)
    lower = named.inside
    if named.phrase.kind is Kind.ACT:
        return f"People ask to {_alternatives([lower, *further])}"
    about = f"\u201c{lower}\u201d" if named.phrase.kind is Kind.STATE else lower
    asked = f"People ask {lower}" if lower.endswith("questions") else f"People write about {about}"
    return f"{asked} and ask to {_alternatives(further)}" if further else asked


def _alternatives(acts: Sequence[str]) -> str:
    return acts[0] if len(acts) == 1 else f"{', '.join(acts[:-1])} or {acts[-1]}"


def _further(name: str, ranked: Ranked) -> list[str]:
    """What else people ask to do, in other words than the name: each must add a verb and an object."""
    seen = stems(name)
    found: list[str] = []
    for candidate in ranked.candidates:
        if candidate.phrase.kind is not Kind.ACT or candidate.said < SAID_BY:
            continue
        if " " in candidate.phrase.verb and candidate.phrase.verb.split()[1] not in PARTICLES:
            continue
        verb, objects = stems(candidate.phrase.verb.split()[0]), stems(" ".join(candidate.phrase.words[1:]))
        if verb & seen or objects <= seen:
            continue
        found.append(candidate.text)
        seen |= verb | objects
    return found[:FURTHER]


def _typical(name: str, counts: Counts, requests: Sequence[str]) -> str:
    """The sentence of a central request with most of the name's and the group's words, ids masked."""
    named = {lemma(word, "NOUN") for word in _WORD.findall(name.lower())}
    read = [sentences(request)[:6] for request in dict.fromkeys(requests)]
    times = Counter(folded(sentence) for own in read for sentence in own)
    best, most = "", 0.0
    for own in read:
        for place, sentence in enumerate(own):
            template = len(read) > 2 and times[folded(sentence)] > TEMPLATE * len(read)
            worth = _worth(sentence, named, counts) / (1 + 0.1 * place + 3 * template)
            if worth > most:
                best, most = sentence, worth
    line = quoted(best or (requests[0] if requests else ""), QUOTE)
    return line.rstrip(" .,;:")


def _worth(sentence: str, named: set[str], counts: Counts) -> float:
    words = [word for word in _WORD.findall(sentence[:QUOTE]) if word.lower() not in PREPOSITIONS]
    if len(words) < 3:
        return 0.0
    shown = quoted(sentence, QUOTE)
    hidden = (
        shown.count("\u2026")
        + 2 * shown.startswith("\u2026")
        + sum(word.istitle() and len(word) > 1 for word in words[1:])
    )
    lemmas = {lemma(word.lower(), "NOUN") for word in words}
    common = sum(counts.word_share(word) for word in sorted(lemmas)) / len(words) ** 0.5
    return float((common + len(lemmas & named)) / (1 + 0.3 * hidden))


def endings(conducts: Sequence[Conduct], others: Sequence[Conduct]) -> str:
    """How the group's conversations end, where most do so or clearly more than elsewhere; at most the clearest two."""
    told: list[tuple[float, str]] = []
    for fact, sentence in _ENDINGS:
        here, there = _share(conducts, fact), _share(others, fact)
        if here is None or here < _SHARES[-1][0]:
            continue
        lift = here / max(there, 0.01) if there is not None else 1.0
        if lift >= _STANDS_OUT or (here >= _CLEAR and lift >= 1):
            words = next(words for least, words in _SHARES if here >= least)
            told.append((-here, sentence.format(words)))
    return " and ".join(sentence for _, sentence in sorted(told)[:2])


def _share(conducts: Sequence[Conduct], fact: str) -> float | None:
    """Of those where it is known; None where there are too few."""
    known = [bool(getattr(conduct, fact)) for conduct in conducts if getattr(conduct, fact) is not None]
    return sum(known) / len(known) if len(known) >= 5 else None
