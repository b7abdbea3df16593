"""Which phrases may become the name of a group: frequent or central ones, without names of people and places."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.categorizer.naming.counts import Counts
from services.categorizer.naming.lexicon import is_known, lemma, usual_tag, usual_tags
from services.categorizer.naming.phrases import Kind, Phrase
from services.categorizer.naming.words import CASING, LANGUAGES, PARTICLES, PLURAL_MODIFIERS, WEAK_VERBS
from services.categorizer.naming.writing import Capitals, Writer

LIMIT = 40  # of a group; each of them is embedded
LETTERS = 42  # of a name
TELLING = frozenset({"find", "set"})  # the weak verbs that need no more than an object
PAIRED = 6  # most frequent verbs and objects that are tried together
RAREST = 0.2  # share of the requests that have each word of a name: "gas tank" is no name where one in ten says tank
SUBJECT, MANY = 0.5, 15  # share of at least so many requests that speak of the same product: it may be named
NESTED = 0.7  # share of a phrase's uses inside a longer one, above which only the longer one counts
CENTRAL_SHARE = 0.2  # of the requests that have each word of a rare phrase


@dataclass(frozen=True, slots=True)
class Candidate:
    phrase: Phrase
    text: str
    inside: str  # as it stands inside a sentence
    coverage: float  # share of the group's requests with the phrase
    said: float  # with all of its words

    @property
    def spoken(self) -> float:
        """Share of the requests that say so in its own words."""
        return 0.0 if self.phrase.kind is Kind.LISTED else max(self.coverage, self.said)


def candidates(group: Counts, everything: Counts, writer: Writer) -> list[Candidate]:
    """At most LIMIT (and a few pairs), the most telling first; texts differ."""
    found = [phrase for phrase in group.phrases if _is_frequent(phrase, group) and _may_name(phrase, group, writer)]
    found = _unnested(found, group)
    found.sort(key=lambda phrase: (-_promise(phrase, group, everything), phrase))
    kept = found[:LIMIT]
    kept += [pair for pair in _pairs(group, everything, writer) if pair not in set(kept)]
    unique: dict[str, Candidate] = {}
    for phrase in kept:
        text = writer.write(phrase)
        inside = writer.write(phrase, inside=True)
        unique.setdefault(text, Candidate(phrase, text, inside, group.coverage(phrase), group.said(phrase)))
    return list(unique.values())


def _unnested(found: Sequence[Phrase], group: Counts) -> list[Phrase]:
    """Without phrases that stand mostly inside one longer phrase: "trip" where all trips are round trips.

    After the C-value of Frantzi, Ananiadou and Mima, "Automatic recognition of multi-word terms" (2000).
    """
    nested = {
        part
        for phrase in found
        for part in phrase.shorter()
        if part != phrase and group.phrases[phrase] >= NESTED * group.phrases[part]
    }
    return [phrase for phrase in found if phrase not in nested]


def _rarest(phrase: Phrase, group: Counts) -> float:
    return min(group.word_share(word) for word in phrase.words)


def _is_frequent(phrase: Phrase, group: Counts) -> bool:
    least = min(max(1.5, 0.02 * group.size), 0.5 * group.size)
    frequent = group.phrases[phrase] >= least
    if not frequent and phrase not in group.central:
        return False
    rarest = min(group.words[word] for word in phrase.words)
    if rarest < max(RAREST * group.size, min(2, 0.5 * group.size)):
        return False
    return frequent or rarest >= CENTRAL_SHARE * group.size


def _promise(phrase: Phrase, group: Counts, everything: Counts) -> float:
    """Coverage x log-odds against the other groups, more for longer phrases."""
    share = group.coverage(phrase) + 0.5 * _rarest(phrase, group)
    length = 1 + 0.15 * (len(phrase.modifiers) + 2 * bool(phrase.link))
    return share * max(_log_odds(phrase, group, everything), 0.05) * length


def _log_odds(phrase: Phrase, group: Counts, everything: Counts) -> float:
    here, there = group.phrases[phrase], everything.phrases[phrase] - group.phrases[phrase]
    outside = everything.size - group.size
    return math.log((here + 0.5) / (group.size + 1)) - math.log((there + 0.5) / (outside + 1))


def _pairs(group: Counts, everything: Counts, writer: Writer) -> list[Phrase]:
    """Frequent verbs with frequent objects, where somebody somewhere said both together."""
    verbs: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    for phrase, times in group.phrases.items():
        if phrase.kind is Kind.ACT and not phrase.link and not phrase.modifiers:
            verbs[phrase.verb] += times
            objects[phrase.head] += times
    pairs = (Phrase(Kind.ACT, verb, (), head) for verb in _top(verbs) for head in _top(objects))
    return [pair for pair in pairs if everything.phrases[pair] >= 2 and _may_name(pair, group, writer)]


def _top(counter: Counter[str]) -> Sequence[str]:
    return sorted(counter, key=lambda word: (-counter[word], word))[:PAIRED]


def _may_name(phrase: Phrase, group: Counts, writer: Writer) -> bool:
    words = phrase.words
    if len(set(words)) < len(words) or sum(map(len, words)) > LETTERS:
        return False
    if phrase.bare and not (usual_tag(phrase.head) and writer.is_counted(phrase.head)):
        return False  # "phoenix"
    verb = phrase.verb.split()
    if phrase.kind is Kind.ACT and verb[0] in WEAK_VERBS - TELLING and not set(verb) & PARTICLES:
        return False  # "get a card", "give Python code"
    if _is_misread(phrase, group):
        return False
    if any(_is_plural(word) for word in (*phrase.modifiers, *phrase.modifiers2)):
        return False
    if phrase.link in ("in", "from", "to", "at") and _may_be_place(phrase.head2, group):
        return False
    return not any(_is_proper(word, group, writer.capitals) for word in words)


def _may_be_place(word: str, group: Counts) -> bool:
    """ "phoenix" in "a hotel in phoenix", where nobody writes capitals."""
    return usual_tag(word.title()).startswith("NNP") and group.word_share(word) < 0.25


def _is_misread(phrase: Phrase, group: Counts) -> bool:
    """ "Direct a deposit" where "direct deposit" is mostly said without being asked to do it, and "report card"."""
    if phrase.kind is not Kind.ACT:
        return any(Phrase(Kind.ACT, word, (), phrase.head) in group.phrases for word in phrase.modifiers)
    if phrase.link:
        return False
    thing = Phrase(Kind.THING, "", (*phrase.verb.split(), *phrase.modifiers), phrase.head)
    return group.phrases[thing] > group.phrases[phrase]


def _is_plural(modifier: str) -> bool:
    if modifier in PLURAL_MODIFIERS:
        return False
    return usual_tag(modifier) == "NNS" and lemma(modifier, "NOUN") != modifier


def _is_proper(word: str, group: Counts, capitals: Capitals) -> bool:
    """A name of a person, place or product, or a code, which nobody wants in the name of a category."""
    in_lexicon = word in usual_tags()
    share = group.word_share(word)
    if not in_lexicon and word not in CASING:
        if not is_known(word) and (share < 0.1 or group.words[word] < 2):
            return True
        if len(word) > 4 and capitals.share_shouted(word) > 0.5:
            return True
    is_name = word not in LANGUAGES and usual_tag(word.title()).startswith("NNP")
    if share >= SUBJECT and group.size >= MANY:
        return False
    if is_name and not in_lexicon:
        return True
    return capitals.share_capitalised(word) > 0.7 and (share < 0.25 or is_name or capitals.is_place(word))
