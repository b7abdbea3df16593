"""Phrases of a sentence are those that a person would name it by."""

import pytest

from services.categorizer.naming.grammar import fits_name, tokens
from services.categorizer.naming.phrases import Kind, Phrase, mentions
from services.categorizer.naming.writing import Writer


def _written(sentence: str) -> set[str]:
    writer = Writer()
    found = mentions(tokens(sentence))
    for mention in found:
        writer.learn(mention)
    return {writer.write(mention.phrase) for mention in found}


@pytest.mark.parametrize(
    ("sentence", "phrase"),
    [
        ("I need to cancel my flight.", "cancel a flight"),
        ("Could you please return an order?", "return an order"),
        ("cancel the upcoming flight", "cancel an upcoming flight"),
        ("My card still hasn't arrived.", "card not arrived"),
        ("my transfer was declined", "declined transfer"),
        ("I lost my luggage in Paris", "lost luggage"),
        ("What is the exchange rate for euros?", "exchange rate"),
        ("I want a refund for the insurance", "refund for insurance"),
        ("I want to exchange a couple of cards", "exchange cards"),
        ("Write an SQL query", "write an SQL query"),
        ("can you turn off the lights", "turn off the lights"),
    ],
)
def test_a_sentence_has_the_phrase(sentence: str, phrase: str) -> None:
    written = _written(sentence)
    assert phrase in written or phrase.replace("the ", "") in written, written


@pytest.mark.parametrize("sentence", ["I want to do it.", "help me please", "I need a thing", "Hi! Thanks.", "42", ""])
def test_nothing_is_made_of_empty_words(sentence: str) -> None:
    assert not [m for m in mentions(tokens(sentence)) if m.phrase.kind is not Kind.THING or not m.phrase.bare]


@pytest.mark.parametrize("word", ["W5061109", "user_id", "camelCase", "don't", "a" * 19, "x", "C++"])
def test_codes_are_no_words_of_names(word: str) -> None:
    assert not fits_name(word)


def test_forms_of_a_phrase_are_one() -> None:
    phrase = Phrase(Kind.ACT, "cancel", (), "flight")
    for sentence in ("I want to cancel my flights", "please cancel a flight", "I am canceling the flight"):
        assert phrase in {mention.phrase for mention in mentions(tokens(sentence))}


def test_a_longer_phrase_contains_the_shorter_ones() -> None:
    phrase = Phrase(Kind.THING, "", ("very", "long", "exchange"), "rate")
    shorter = {"/".join(one.modifiers) for one in phrase.shorter()}
    assert shorter == {"", "exchange", "long/exchange"}


def test_a_word_of_any_length_is_read() -> None:
    assert all("xx" not in mention.phrase.head for mention in mentions(tokens("cancel " + "x" * 100_000)))
    assert len(tokens("a " * 1_000)) <= 60
