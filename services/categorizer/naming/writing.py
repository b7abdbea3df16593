"""Writes a phrase as a person would: number, article and capitals as they mostly are in the texts at hand."""

from collections import Counter, defaultdict

from services.categorizer.naming.lexicon import inflect, usual_tag
from services.categorizer.naming.phrases import Kind, Mention, NounPhrase, Phrase
from services.categorizer.naming.words import CASING, MASS_NOUNS, ORDINALS

_AN_BUT_CONSONANT = ("uni", "use", "usa", "usu", "one", "eu", "ut")
_SPELLED_WITH_VOWEL = ("SQL", "HTML", "XML", "MRI", "LLM", "FAQ", "SMS", "SSH", "hour", "honest")
_POSSESSIVE_OR_OTHER = "my"
_ALWAYS = 4  # mentions of a noun, never with "a" and never in the plural, that make it one of its kind
_OFTEN = 0.35  # share of a noun's mentions in the plural that make its category one
_Key = tuple[str, ...]


class Writer:
    """Learns from mentions how nouns are used, then writes phrases."""

    def __init__(self) -> None:
        self._forms: defaultdict[_Key, Counter[bool]] = defaultdict(Counter)  # of a noun in a phrase: plural or not
        self._uses: defaultdict[str, Counter[str]] = defaultdict(Counter)  # of a noun: plural, an, the, my, none
        self._bare: Counter[_Key] = Counter()  # of a second noun without article: "date of birth"
        self.capitals = Capitals()

    def learn(self, mention: Mention) -> None:
        phrase, noun, second = mention.phrase, mention.noun, mention.noun2
        self._uses[phrase.head][_use(noun)] += 1
        self._forms[_key(phrase)][noun.plural] += 1
        if second is not None:
            self._uses[phrase.head2]["plural" if second.plural else "none"] += 1
            self._forms[(*_key(phrase), "second")][second.plural] += 1
            self._bare[_key(phrase)] += 0 if second.determiner or second.plural else 1

    def write(self, phrase: Phrase, inside: bool = False) -> str:
        """As a name; `inside` a sentence also things get their article."""
        key = _key(phrase)
        article = inside or phrase.kind is Kind.ACT
        noun = self._noun(phrase.modifiers, phrase.head, key, article=article, of=phrase.link == "of")
        if phrase.kind is Kind.ACT:
            written = f"{phrase.verb} {noun}"
        elif phrase.kind is Kind.STATE:
            written = f"{noun} {phrase.verb}"
        elif not inside and phrase.link in ("", "for") and self._is_counted_as_many(phrase):
            written = self._noun(phrase.modifiers, phrase.head, key, article=False, of=False, many=True)
        else:
            written = noun
        if phrase.link:
            bare = 2 * self._bare[key] >= self._forms[(*key, "second")].total()
            second = self._noun(phrase.modifiers2, phrase.head2, (*key, "second"), article=not bare, of=False)
            written += f" {phrase.link} {second}"
        return written

    def _is_counted_as_many(self, phrase: Phrase) -> bool:
        """Whether a category is called by its plural: "exchange rates", but "luggage", "the volume", "next song"."""
        uses = self._uses[phrase.head]
        if not phrase.bare and uses["plural"] < _OFTEN * uses.total():
            return False
        return not (_is_ordinal(phrase.modifiers) or _is_mass(phrase.head, uses) or _is_single(uses))

    def is_counted(self, noun: str) -> bool:
        """Whether it mostly stands in the plural or with an article, as names of persons and places do not."""
        uses = self._uses[noun]
        return 2 * uses["none"] < uses.total()

    def _noun(
        self, modifiers: tuple[str, ...], head: str, key: _Key, article: bool, of: bool, many: bool = False
    ) -> str:
        forms, uses = self._forms[key], self._uses[head]
        plural = many or forms[True] > forms[False]
        words = [*modifiers, inflect(head, "NNS") if plural else head]
        noun = " ".join(self.capitals.written(word) for word in words)
        if plural or not article:
            return noun
        if _is_ordinal(modifiers):
            return f"the {noun}"
        if _is_mass(head, uses):
            return noun
        if _is_single(uses):
            return f"the {noun}"
        indefinite, others = uses["an"], 0 if of else uses[_POSSESSIVE_OR_OTHER]
        if uses["the"] > (1 if of else 2) * (indefinite + others) and uses.total() > 2:
            return f"the {noun}"
        return f"{_article(noun)} {noun}"


class Capitals:
    """How words are written inside sentences."""

    def __init__(self) -> None:
        self._spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._places: Counter[str] = Counter()

    def learn(self, word: str, previous: str) -> None:
        self._spellings[word.lower()][word] += 1
        if previous in ("from", "to", "at", "near", "via") and word[0].isupper():
            self._places[word.lower()] += 1

    def written(self, word: str) -> str:
        if word in CASING:
            return CASING[word]
        spellings = self._spellings[word]
        if not spellings:
            return word
        spelling, times = min(spellings.items(), key=lambda item: (-item[1], item[0]))
        mostly = times / spellings.total()
        acronym = spelling.isupper() and len(spelling) <= 5 and mostly >= 0.6
        title = spelling.istitle() and mostly >= 0.8 and times >= 5
        return spelling if acronym or title else word

    def share_capitalised(self, word: str) -> float:
        spellings = self._spellings[word]
        return sum(n for form, n in spellings.items() if form[0].isupper()) / max(1, spellings.total())

    def share_shouted(self, word: str) -> float:
        spellings = self._spellings[word]
        return sum(n for form, n in spellings.items() if form.isupper()) / max(1, spellings.total())

    def is_place(self, word: str) -> bool:
        """Mostly written with a capital after "from", "to", "at"."""
        total = self._spellings[word].total()
        return total > 0 and self._places[word] > 0.4 * total


def capitalised(name: str) -> str:
    """With a capital in front, the rest as it is."""
    return name[:1].upper() + name[1:]


def uncapitalised(name: str) -> str:
    """For the middle of a sentence: "Python functions" and "SQL queries" keep their capitals."""
    first = name.split(" ", 1)[0]
    proper = usual_tag(first).startswith("NNP") and not usual_tag(first.lower())
    keeps = proper or first.lower() in CASING or (first != "A" and not first[1:].islower())
    return name if keeps else name[:1].lower() + name[1:]


def _key(phrase: Phrase) -> _Key:
    return (phrase.kind, phrase.verb, phrase.head, phrase.link, phrase.head2)


def _use(noun: NounPhrase) -> str:
    if noun.plural:
        return "plural"
    if noun.determiner in ("a", "an", "one", "another"):
        return "an"
    if noun.determiner == "the":
        return "the"
    return _POSSESSIVE_OR_OTHER if noun.determiner else "none"


def _is_ordinal(modifiers: tuple[str, ...]) -> bool:
    """ "the next payday", "the cheapest flight"."""
    return bool(modifiers) and (modifiers[0] in ORDINALS or usual_tag(modifiers[0]) == "JJS")


def _is_single(uses: Counter[str]) -> bool:
    """ "the volume", of which nobody has two."""
    return uses["an"] == uses["plural"] == 0 and uses["the"] + uses[_POSSESSIVE_OR_OTHER] >= _ALWAYS


def _is_mass(head: str, uses: Counter[str]) -> bool:
    """Not counted, so without an article: "write code". Countable is what has a plural in the lexicon or here."""
    if head in MASS_NOUNS or head in CASING or usual_tag(head) == "NNS":
        return True
    plural = usual_tag(inflect(head, "NNS"))
    counted_here = uses["an"] + uses["plural"] > 0.15 * uses.total()
    return not (plural == "NNS" or (plural == "" and counted_here))


def _article(noun: str) -> str:
    lower = noun.lower()
    vowel = lower[0] in "aeiou" and not lower.startswith(_AN_BUT_CONSONANT)
    return "an" if vowel or noun.startswith(_SPELLED_WITH_VOWEL) else "a"
