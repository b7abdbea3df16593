"""Phrases of a sentence that could name what is asked: "cancel a flight", "exchange rate", "card not arrived"."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from services.categorizer.naming.grammar import NOMINAL, Tag, Token, fits_name
from services.categorizer.naming.lexicon import inflect, is_verb, lemma
from services.categorizer.naming.words import (
    DULL_NOUNS,
    LIGHT_VERBS,
    LINKS,
    MEASURING,
    NEGATIVE,
    NOUN_LINKS,
    PARTICLES,
    QUANTITIES,
    VERB_LINKS,
    WEAK_VERBS,
)

_INDIRECT = frozenset({"me", "us", "him", "you"})
_NEGATIONS = frozenset({"not", "never"})
_BETWEEN = frozenset({"not", "still", "yet", "never", "already", "just", "to"})  # a noun and what happened to it
_OTHERS = frozenset({"you", "they", "it", "he", "she"})
_MODALS = frozenset({"can", "could", "will", "would", "should", "may", "if"})
_BY_ITSELF = frozenset({"die", "arrive", "work", "happen", "stop", "fail", "crash"})  # the others: "declined payment"
_QUOTING = frozenset({"spell", "define", "pronounce", "translate", "say", "mean"})  # their object is any word
_NO_EVENTS = frozenset({"leave", "apply", "show", "mention", "attach"})
_NOT_YET_DONE = frozenset({"will", "would", "can", "should"})
_BROAD_VERBS = frozenset({"get", "make", "use", "give"})


class Kind(StrEnum):
    ACT = "act"  # verb + object
    THING = "thing"  # noun phrase
    STATE = "state"  # noun + (not) done
    LISTED = "listed"  # of category_words.txt


@dataclass(frozen=True, slots=True, order=True)
class Phrase:
    """In lemmas, so that all forms of it are one: "cancelled my flights" and "cancel a flight" are equal."""

    kind: Kind
    verb: str  # with its particle; of a state its participle ("not arrived"); empty of a thing
    modifiers: tuple[str, ...]
    head: str
    link: str = ""  # a preposition that joins a second noun
    modifiers2: tuple[str, ...] = ()
    head2: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Those that carry meaning, as lemmas of what was said."""
        said = self.verb.split() or [""]
        verb = lemma(said[-1], "VERB") if self.kind is Kind.STATE else said[0]  # "not seen": "don't see"
        return tuple(word for word in (verb, *self.modifiers, self.head, *self.modifiers2, self.head2) if word)

    @property
    def bare(self) -> bool:
        """A lone noun, which says little."""
        return self.kind is Kind.THING and not self.modifiers and not self.head2

    def shorter(self) -> Iterator["Phrase"]:
        """Itself with 0, 1 and 2 of its modifiers, the nearest to the head kept; of a second noun the nearest stays."""
        for kept in range(min(2, len(self.modifiers)) + 1):
            modifiers = self.modifiers[len(self.modifiers) - kept :]
            yield Phrase(self.kind, self.verb, modifiers, self.head, self.link, self.modifiers2[-1:], self.head2)


@dataclass(frozen=True, slots=True)
class NounPhrase:
    determiner: str
    modifiers: tuple[str, ...]
    head: str
    plural: bool
    end: int  # the token after it


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase as it stood in a text: how it was written tells how to write it again."""

    phrase: Phrase
    noun: NounPhrase
    noun2: NounPhrase | None = None


def mentions(found: list[Token]) -> list[Mention]:
    """All phrases of a tagged sentence, in order of kind and place."""
    return [*_acts(found), *_participles(found), *_things(found)]


def _acts(found: list[Token]) -> Iterator[Mention]:
    for place, token in enumerate(found):
        if not _is_verb(found, place) or not fits_name(token.text):
            continue
        verb = lemma(token.lower, "VERB")
        if verb in LIGHT_VERBS | _QUOTING or _is_done_by_others(found, place):
            continue
        verb, noun = _object(found, place + 1, verb)
        if noun is None or noun.head in DULL_NOUNS:
            continue
        negated = _is_negated(found, place)
        if negated or (place and found[place - 1].tag is Tag.NOUN):
            yield from _suffered(verb, noun, negated)  # "did the machine swallow my card": nobody asks to do it
            continue
        phrase = Phrase(Kind.ACT, verb, noun.modifiers, noun.head)
        yield Mention(phrase, noun)
        yield from _linked(found, phrase, noun, LINKS)


def _is_done_by_others(found: list[Token], place: int) -> bool:
    """ "Why do you charge fees": nobody asks to do it; in "can you charge my card" somebody does."""
    if not place or found[place - 1].lower not in _OTHERS:
        return False
    return place == 1 or found[place - 2].lower not in _MODALS


def _is_verb(found: list[Token], place: int) -> bool:
    if found[place].tag is Tag.VERB:
        return True
    before = found[place - 1].tag if place else None
    if found[place].tag is not Tag.DOING or before not in (Tag.PREPOSITION, Tag.AUXILIARY, Tag.STOP):
        return False
    return lemma(found[place].lower, "VERB") != found[place].lower  # "pending" is no verb


def _object(found: list[Token], place: int, verb: str) -> tuple[str, NounPhrase | None]:
    """The verb with its particle or preposition, and its object."""
    if _particle_at(found, place):
        verb, place = f"{verb} {found[place].lower}", place + 1
    if (
        place + 1 < len(found)
        and found[place].lower in _INDIRECT
        and found[place + 1].tag in (*NOMINAL, Tag.DETERMINER)
    ):
        place += 1
    noun = noun_phrase(found, place)
    if noun is None and " " not in verb and place + 1 < len(found) and found[place].lower in VERB_LINKS:
        return f"{verb} {found[place].lower}", noun_phrase(found, place + 1)
    return verb, noun


def _particle_at(found: list[Token], place: int) -> bool:
    if place + 1 >= len(found) or found[place].lower not in PARTICLES:
        return False
    return found[place + 1].tag in (Tag.DETERMINER, Tag.NOUN)


def _linked(found: list[Token], phrase: Phrase, noun: NounPhrase, links: frozenset[str]) -> Iterator[Mention]:
    """The phrase with a second noun: "refund" + "for the insurance"."""
    if noun.end >= len(found) or found[noun.end].lower not in links:
        return
    second = noun_phrase(found, noun.end + 1)
    if second is not None and second.head not in DULL_NOUNS and not _is_deed(second):
        link = found[noun.end].lower
        yield Mention(replace(phrase, link=link, modifiers2=second.modifiers, head2=second.head), noun, second)


def _is_deed(noun: NounPhrase) -> bool:
    """ "train" in "python code for train a model"."""
    return not noun.determiner and not noun.modifiers and not noun.plural and is_verb(noun.head)


def _participles(found: list[Token]) -> Iterator[Mention]:
    """ "I lost my luggage" -> "lost luggage", "the machine swallowed my card" -> "card swallowed"."""
    for place in range(1, len(found) - 1):
        before, token, after = found[place - 1 : place + 2]
        if token.tag is not Tag.DONE or after.tag is not Tag.DETERMINER:
            continue
        noun, verb = noun_phrase(found, place + 1), lemma(token.lower, "VERB")
        if noun is None or noun.head in DULL_NOUNS:
            continue
        negated = _is_negated(found, place)
        if negated or before.tag is Tag.NOUN:
            yield from _suffered(verb, noun, negated)
        elif before.tag in (Tag.PRONOUN, Tag.AUXILIARY) and verb not in LIGHT_VERBS | WEAK_VERBS:
            yield Mention(Phrase(Kind.THING, "", (inflect(verb, "VBN"), *noun.modifiers[-1:]), noun.head), noun)


def _suffered(verb: str, noun: NounPhrase, negated: bool) -> Iterator[Mention]:
    """ "I don't recognise this payment" -> "payment not recognised"."""
    if " " in verb or verb in LIGHT_VERBS | (_BROAD_VERBS if negated else WEAK_VERBS):
        return
    form = inflect(verb, "VBN")
    yield Mention(Phrase(Kind.STATE, f"not {form}" if negated else form, noun.modifiers, noun.head), noun)


def _is_negated(found: list[Token], place: int) -> bool:
    before = [token.lower for token in found[max(0, place - 2) : place]]
    return any(word in _NEGATIONS or word in NEGATIVE or word.endswith("n't") for word in before)


def _things(found: list[Token]) -> Iterator[Mention]:
    place = 0
    while place < len(found):
        noun = noun_phrase(found, place) if found[place].tag in (*NOMINAL, Tag.DETERMINER, Tag.NUMBER) else None
        if noun is None:
            place += 1
            continue
        if noun.head not in DULL_NOUNS:
            phrase = Phrase(Kind.THING, "", noun.modifiers, noun.head)
            yield Mention(phrase, noun)
            yield from _linked(found, phrase, noun, NOUN_LINKS)
            yield from _states(found, noun)
        place = max(noun.end, place + 1)


def _states(found: list[Token], noun: NounPhrase) -> Iterator[Mention]:
    """ "my card still hasn't arrived" -> "card not arrived"."""
    place = noun.end
    while place < len(found) and (found[place].tag in (Tag.AUXILIARY, Tag.ADVERB) or found[place].lower in _BETWEEN):
        place += 1
    between = {token.lower for token in found[noun.end : place]}
    negated = any(word in _NEGATIONS or word.endswith("n't") for word in between)
    if place == len(found) or between & _NOT_YET_DONE or not fits_name(found[place].text):
        return
    token = found[place]
    if token.tag is not Tag.DONE and not (negated and token.tag in (Tag.VERB, Tag.DOING)):
        return
    ends = place + 1 == len(found) or found[place + 1].tag in (Tag.STOP, Tag.PREPOSITION)
    verb = lemma(token.lower, "VERB")
    if (place == noun.end and not ends) or (verb in LIGHT_VERBS and verb != "wait") or verb in _BROAD_VERBS:
        return
    if verb == token.lower and not negated:  # "timer set for five minutes" is rather an order
        return
    if verb in _NO_EVENTS:
        return
    if not negated and verb not in _BY_ITSELF:
        yield Mention(Phrase(Kind.THING, "", (inflect(verb, "VBN"), *noun.modifiers[-1:]), noun.head), noun)
        return
    form = "working" if verb == "work" else token.lower if token.tag is Tag.DOING else inflect(verb, "VBN")
    yield Mention(Phrase(Kind.STATE, f"not {form}" if negated else form, noun.modifiers, noun.head), noun)


def noun_phrase(found: list[Token], place: int) -> NounPhrase | None:
    """The one that begins at `place`; "a couple of cards" is read as "cards". None where there is none."""
    determiner = ""
    while place < len(found) and _introduces(found[place], determiner):
        determiner = determiner or found[place].lower
        place += 1
    end = place
    while end < len(found) and found[end].tag in NOMINAL and fits_name(found[end].text):
        if found[end].tag is Tag.DONE and not _is_modifier(found, place, end):
            break
        end += 1
    while end > place and found[end - 1].tag is not Tag.NOUN:
        end -= 1
    if end == place or end - place > 5:
        return None
    head = lemma(found[end - 1].lower, "NOUN")
    if head in QUANTITIES - MEASURING and end + 1 < len(found) and found[end].lower == "of":
        return noun_phrase(found, end + 1)
    modifiers = tuple(token.lower for token in found[max(place, end - 3) : end - 1])
    return NounPhrase(determiner, modifiers, head, found[end - 1].lower != head, end)


def _is_modifier(found: list[Token], start: int, place: int) -> bool:
    """ "declined payment", but not "transfer declined"."""
    after = found[place + 1].tag if place + 1 < len(found) else Tag.STOP
    before = found[place - 1].tag if place > start else Tag.DETERMINER
    return after in (Tag.NOUN, Tag.ADJECTIVE) and before is not Tag.NOUN


def _introduces(token: Token, determiner: str) -> bool:
    if token.tag in (Tag.DETERMINER, Tag.NUMBER, Tag.ADVERB):
        return True
    return token.lower == "of" and bool(determiner)
