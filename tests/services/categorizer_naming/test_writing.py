"""Names are written as people write: number, article, capitals, and how two are joined."""

import itertools

import pytest

from services.categorizer.naming.covering import and_others, joined
from services.categorizer.naming.describing import endings
from services.categorizer.naming.fallback import MIXED, REPLIES, told_apart, vague_name
from services.categorizer.naming.grammar import tokens
from services.categorizer.naming.lexicon import inflect, lemma
from services.categorizer.naming.listed import category_phrases, domains
from services.categorizer.naming.phrases import Kind, Phrase, mentions
from services.categorizer.naming.writing import Writer, capitalised, uncapitalised
from shared.models import Conduct


def _writer(*sentences: str) -> Writer:
    writer = Writer()
    for sentence in sentences:
        found = tokens(sentence)
        for mention in mentions(found):
            writer.learn(mention)
        for before, token in itertools.pairwise(found):
            writer.capitals.learn(token.text, before.lower)
    return writer


def test_number_is_the_commoner_one() -> None:
    phrase = Phrase(Kind.ACT, "cancel", (), "order")
    assert _writer("cancel an order", "cancel my order", "cancel orders").write(phrase) == "cancel an order"
    assert _writer("cancel an order", "cancel my orders", "cancel orders").write(phrase) == "cancel orders"


def test_what_is_not_counted_has_no_article() -> None:
    assert _writer("write code", "write the code").write(Phrase(Kind.ACT, "write", (), "code")) == "write code"
    assert _writer("play music").write(Phrase(Kind.ACT, "play", (), "music")) == "play music"


def test_what_there_is_one_of_has_the_definite_article() -> None:
    said = ["turn up the volume", "change my volume", "turn down the volume", "change the volume please"]
    assert _writer(*said).write(Phrase(Kind.ACT, "change", (), "volume")) == "change the volume"
    assert (
        _writer("my next payday").write(Phrase(Kind.THING, "", ("next",), "payday"), inside=True) == "the next payday"
    )


def test_capitals_are_as_in_the_texts_or_as_everybody_writes_them() -> None:
    assert _writer().write(Phrase(Kind.ACT, "write", ("python",), "function")) == "write a Python function"
    assert _writer(*["show me the CRM data"] * 5).capitals.written("crm") == "CRM"
    assert capitalised("iPhone repairs"[0].upper() + "Phone repairs") == "IPhone repairs"
    assert uncapitalised("Order returns") == "order returns"
    assert uncapitalised("SQL queries") == "SQL queries"
    assert uncapitalised("C programs") == "C programs"


@pytest.mark.parametrize(
    ("word", "singular"), [("dice", "dice"), ("cards", "card"), ("taxes", "tax"), ("people", "people")]
)
def test_lemmas_are_words_that_people_write(word: str, singular: str) -> None:
    assert lemma(word, "NOUN") == singular
    assert inflect("card", "NNS") == "cards"


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("Order returns", "Order changes", "Order returns and changes"),
        ("Math problems", "Physics problems", "Math and physics problems"),
        ("Flight bookings", "Refund requests", "Flight bookings and refund requests"),
        ("Poems", "SQL queries", "Poems and SQL queries"),
    ],
)
def test_two_names_are_joined_without_repetition(first: str, second: str, both: str) -> None:
    assert joined(first, second) == both


def test_a_partial_name_says_so_and_a_vague_one_is_not_made_longer() -> None:
    assert and_others("Programming requests") == "Programming and other requests"
    assert and_others("Jokes") == "Jokes and other requests"
    assert and_others("Mixed questions") is None


def test_vague_names_tell_the_form() -> None:
    assert vague_name(["yes", "no thanks", "ok"]) == REPLIES
    assert vague_name(["What is the capital of this large country?"] * 3) == "Mixed questions"
    assert vague_name(["one long request about all sorts of things"]) == MIXED
    assert vague_name(["", "?!"]) == "Requests without text"


def test_equal_names_are_told_apart_however_many() -> None:
    taken: list[str] = []
    for _ in range(5):
        taken.append(told_apart(MIXED, taken, ["tell me about the number 12345 and more"]))
    assert len(set(taken)) == 5
    assert not any(any(map(str.isdigit, name)) for name in taken)


def test_the_list_has_no_doubles_and_every_phrase_a_place() -> None:
    phrases = category_phrases()
    assert len(phrases) == len({phrase.lower() for phrase in phrases}) == len(domains())
    assert all(phrase == phrase.strip() and phrase[0].isupper() for phrase in phrases)


def test_an_ending_is_told_where_it_is_common_and_commoner_than_elsewhere() -> None:
    asking, other = Conduct(ends_in_question=True), Conduct(ends_in_question=False)
    assert endings([asking] * 8 + [other] * 2, [other] * 10) == "most end with a question to the user"
    assert endings([asking] * 3 + [other] * 7, [other] * 10) == "a third end with a question to the user"
    assert endings([asking] * 5 + [other] * 5, [asking] * 5 + [other] * 5) == ""
    assert endings([asking] * 2, [other] * 10) == ""
    assert endings([Conduct()] * 9, []) == ""
