"""A text asks for a phrase as far as it is close to it and says its words: either alone is half the evidence."""

import numpy as np

from services.categorizer.naming.candidates import Candidate
from services.categorizer.naming.counts import read
from services.categorizer.naming.evidence import CLOSE, LISTED, evidence
from services.categorizer.naming.phrases import Kind, Phrase
from services.categorizer.naming.writing import Writer


def _candidate(phrase: Phrase) -> Candidate:
    text = " ".join(phrase.words)
    return Candidate(phrase, text, text, 0.0, 0.0)


LOST = _candidate(Phrase(Kind.THING, "", ("lost",), "card"))
CARD = _candidate(Phrase(Kind.THING, "", (), "card"))


def test_what_is_close_or_said_is_half_and_both_are_whole() -> None:
    told = read(["I lost my card.", "Is my card lost?", "Activate my card.", "Where is my card?"], Writer()).told
    held = np.array([[True], [False], [True], [False]])
    assert evidence([LOST], held, told, np.ones(4, bool)).tolist() == [[1.0], [0.5], [0.5], [0.0]]


def test_saying_a_lone_noun_or_a_phrase_of_the_list_tells_nothing() -> None:
    told = read(["My card, please.", "Help me."], Writer()).told
    found = evidence([CARD], np.array([[False, False], [True, True]]), told, np.ones(2, bool))
    assert found.tolist() == [[0.0, 0.0], [CLOSE, LISTED]]


def test_a_text_that_was_not_read_says_nothing() -> None:
    told = read(["I lost my card."], Writer()).told
    found = evidence([LOST], np.zeros((2, 1), bool), told, np.array([False, True]))
    assert found.tolist() == [[0.0], [0.5]]


def test_words_of_different_sentences_are_not_said_together() -> None:
    told = read(["I lost my way. Here is my card."], Writer()).told
    assert evidence([LOST], np.zeros((1, 1), bool), told, np.ones(1, bool)).tolist() == [[0.0]]


def test_copies_and_templates_say_what_they_say_each_time() -> None:
    told = read(["I lost my card.", "I lost my card."], Writer()).told
    assert evidence([LOST], np.ones((2, 1), bool), told, np.ones(2, bool)).tolist() == [[1.0], [1.0]]
