"""What is counted of the requests of a leaf or a category: in how many of them a phrase or a word stands."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.categorizer.naming.grammar import Token, tokens
from services.categorizer.naming.lexicon import roots
from services.categorizer.naming.phrases import Phrase, mentions
from services.categorizer.naming.reading import sentences
from services.categorizer.naming.writing import Writer
from shared.content import folded

CENTRAL = 15  # items whose phrases are candidates however rare they are


@dataclass(slots=True)
class Counts:
    """Of one group of requests. Copies count once, and so does a sentence that stands in several of them.

    A template ("Select the right translation") is so no more than one sentence, however many requests it is in.
    """

    requests: list[set[str]] = field(default_factory=list)  # the words of each, with their lemmas
    questions: int = 0
    phrases: Counter[Phrase] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    central: set[Phrase] = field(default_factory=set)

    @property
    def size(self) -> int:
        return len(self.requests)

    def coverage(self, phrase: Phrase) -> float:
        return self.phrases[phrase] / max(1, self.size)

    def word_share(self, word: str) -> float:
        return self.words[word] / max(1, self.size)

    def said(self, phrase: Phrase) -> float:
        """Share of the requests with all its words, in whatever order."""
        words = set(phrase.words)
        return sum(words <= request for request in self.requests) / max(1, self.size)


def read(texts: Sequence[str], writer: Writer) -> Counts:
    """Counts of one leaf; its most central text first. The writer learns from it how words are written."""
    counts = Counts()
    seen: set[str] = set()
    for rank, text in enumerate(texts):
        phrases: set[Phrase] = set()
        words: set[str] = set()
        fresh = False
        for sentence in sentences(text):
            key = folded(sentence)
            if key not in seen:
                seen.add(key)
                fresh = True
                tagged = tokens(sentence)
                phrases |= _phrases(tagged, writer)
                words |= _words(tagged, writer)
        if not fresh:
            continue
        counts.requests.append(words)
        counts.questions += "?" in text
        counts.phrases.update(phrases)
        counts.words.update(words)
        if rank < CENTRAL:
            counts.central |= phrases
    return counts


def together(parts: Iterable[Counts]) -> Counts:
    """Counts of a category from those of its leaves, or of everything."""
    whole = Counts()
    for part in parts:
        whole.requests.extend(part.requests)
        whole.questions += part.questions
        whole.phrases.update(part.phrases)
        whole.words.update(part.words)
        whole.central |= part.central
    return whole


def _phrases(tagged: list[Token], writer: Writer) -> set[Phrase]:
    found: set[Phrase] = set()
    for mention in mentions(tagged):
        writer.learn(mention)
        found.update(mention.phrase.shorter())
    return found


def _words(tagged: list[Token], writer: Writer) -> set[str]:
    found: set[str] = set()
    previous = ""
    for token in tagged:
        if token.lower[0].isalpha():
            if previous:
                writer.capitals.learn(token.text, previous)
            found |= roots(token.lower) if len(token.lower) <= 40 else {token.lower}
        previous = token.lower
    return found
