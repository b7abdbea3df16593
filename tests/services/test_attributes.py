"""What the extractor makes of what was said: statements, booleans, given values, numbers."""

import random
import time

import numpy as np
import pytest

from benchmarks.attributes import scores
from services.attribute_extractor import choices
from services.attribute_extractor.booleans import Boolean
from services.attribute_extractor.choices import Choice
from services.attribute_extractor.language import negated, states, stems
from services.attribute_extractor.numbers import Number
from services.attribute_extractor.reading import PIECES, Piece, pieces
from services.attribute_extractor.statements import claim
from shared.embedding.encoder import load_encoder
from shared.general import general_requests
from shared.messages import Turn
from tests.services.words import words_of


def said(*texts: str) -> list[Piece]:
    return [Piece("user", text, at) for at, text in enumerate(texts)]


def boolean(name: str, description: str = "") -> Boolean:
    stated = claim(name, description)
    statements, denials = zip(*stated.pairs, strict=True)
    return Boolean.of(stated, words_of(statements), words_of(denials), words_of(general_requests()))


def answer(question: Boolean, *texts: str) -> bool | None:
    return question.judge(said(*texts), words_of(texts))


@pytest.mark.parametrize(
    ("name", "description", "statement", "spoken", "denied"),
    [
        ("a", "Whether the user is satisfied", "the user is satisfied", "I am satisfied", "I am not satisfied"),
        (
            "a",
            "The customer wants a refund.",
            "The customer wants a refund",
            "I want a refund",
            "I do not want a refund",
        ),
        ("a", "Is the user angry?", "the user is angry", "I am angry", "I am not angry"),
        ("a", "True if the agent apologizes", "the agent apologizes", "I apologize", "I do not apologize"),
        ("user_wants_refund", "", "user wants refund", "I want refund", "I do not want refund"),
    ],
)
def test_a_claim_is_also_told_by_its_speaker_and_denied(
    name: str, description: str, statement: str, spoken: str, denied: str
) -> None:
    pairs = claim(name, description).pairs
    assert statement in [text for text, _ in pairs]
    assert (spoken, denied) in pairs


def test_whoever_the_description_names_first_is_who_can_state_it() -> None:
    assert claim("x", "Whether the agent told the user the price").speaker == "assistant"
    assert claim("first_time_customer", "").speaker == "user"
    assert claim("resolved", "Was the issue resolved?").speaker is None


def test_a_boolean_is_what_is_stated_and_null_where_nothing_is() -> None:
    question = boolean("user_satisfied", "Whether the user is satisfied")
    assert answer(question, "I am satisfied.") is True
    assert answer(question, "I am not satisfied.") is False
    assert answer(question, "How tall is the tower?") is None
    assert answer(question) is None


def test_a_boolean_is_null_where_both_are_stated() -> None:
    question = boolean("user_satisfied", "Whether the user is satisfied")
    assert answer(question, "I am satisfied.", "I am not satisfied.") is None


def test_questions_and_suppositions_state_nothing_but_a_request_does() -> None:
    question = boolean("user_satisfied", "Whether the user is satisfied")
    assert answer(question, "Am I satisfied?") is None
    assert answer(question, "I am satisfied if it works.") is None
    assert states("Can I get a refund?")
    assert not states("Do you give a refund?")


def test_what_the_other_side_says_is_no_statement_of_the_user() -> None:
    question = boolean("user_satisfied", "Whether the user is satisfied")
    piece = Piece("assistant", "I am satisfied.", 0)
    assert question.judge([piece], words_of([piece.text])) is None


def test_words_of_loss_turn_a_statement_round_unless_it_is_about_the_loss() -> None:
    assert negated("I lost the receipt.")
    assert not negated("I lost the parcel.", stems("parcel lost"))
    assert not negated("No, I have it.")
    assert negated("No, I haven't.")


def test_planted_booleans_are_found_and_nothing_else_with_the_real_vectors() -> None:
    """A short form of benchmarks/attributes.py."""
    encoder = load_encoder()
    if encoder is None:
        pytest.skip("the weights are not installed")
    stated = claim("wants_refund", "Whether the user wants a refund")
    statements, denials = map(encoder.encode, zip(*stated.pairs, strict=True))
    question = Boolean.of(stated, statements, denials, encoder.encode(general_requests()))
    truth = {"I want a refund.": True, "Please give me my money back.": True, "I do not want a refund.": False}
    silent = ("I paid by card.", "My parcel is late.", "Where is the shop?", "My sister is a customer as well.")
    texts = [*truth, *silent]
    rows = encoder.encode(texts)
    found = [(truth.get(text), question.judge(said(text), row[None])) for text, row in zip(texts, rows, strict=True)]
    precision, recall, null = scores(found)
    assert (precision, null) == (1.0, 1.0)
    assert recall >= 2 / 3


def choice(name: str, *values: str) -> Choice:
    known = choices.told(values)
    return Choice(known, words_of(choices.texts(name, known)))


@pytest.mark.parametrize(
    ("text", "value"),
    [("There is a billing problem.", "billing"), ("It rains.", None), ("billing or login", None), ("the others", None)],
)
def test_a_given_value_is_chosen_only_where_it_is_clear(text: str, value: str | None) -> None:
    found = choice("topic", "billing", "login", "other").judge(said(text), words_of([text]))
    assert found == value


def test_what_else_is_said_does_not_blur_a_stated_value() -> None:
    texts = ["My parcel came late.", *(f"Subject {n} has nothing in common." for n in range(12))]
    assert choice("kind", "late parcel", "lost password").judge(said(*texts), words_of(texts)) == "late parcel"
    assert choice("kind", "late parcel", "lost password").judge(said(*texts[1:]), words_of(texts[1:])) is None


def test_planted_values_are_found_with_the_real_vectors() -> None:
    """A short form of benchmarks/attributes.py: no phrasing has the value's own words."""
    encoder = load_encoder()
    if encoder is None:
        pytest.skip("the weights are not installed")
    known = choices.told(("credit_card", "bank_transfer", "gift_card"))
    question = Choice(known, encoder.encode(choices.texts("payment_method", known)))
    truth = {"It was charged to my Mastercard.": "credit_card", "I paid with my Visa.": "credit_card"}
    texts = [*truth, "The colour is blue.", "I have not paid yet.", "Where is the shop?"]
    rows = encoder.encode(texts)
    found = [(truth.get(text), question.judge(said(text), row[None])) for text, row in zip(texts, rows, strict=True)]
    precision, recall, null = scores(found)
    assert (precision, null) == (1.0, 1.0)
    assert recall >= 0.5


def test_values_that_nothing_can_be_like_leave_nothing_to_choose() -> None:
    assert choices.told(("other", "None", "n/a", " ", "unknown")) == ()


@pytest.mark.parametrize(
    ("name", "description", "texts", "value"),
    [
        ("refund_usd", "", ("Please refund 20 dollars.",), 20),
        ("refund_usd", "", ("The refund is $1,234.50.", "A refund of $1,234.50, yes."), 1_234.5),
        ("refund_usd", "", ("A refund of $20 or a refund of $30.",), None),
        ("refund_usd", "", ("It cost $20.",), None),
        ("refund_usd", "", ("The refund of order 4711.",), None),
        ("wait_minutes", "how long the user waited", ("I had to wait 15 minutes.",), 15),
        ("guests", "", ("We are 6 guests.",), 6),
        ("guests", "", ("Guests come at 18:30 on 2024-05-06.",), None),
        ("guests", "", ("No number of guests.",), None),
    ],
)
def test_a_number_is_known_where_one_is_stated_beside_its_words(
    name: str, description: str, texts: tuple[str, ...], value: float | None
) -> None:
    assert Number.of(name, description).judge(said(*texts), words_of(texts)) == value


def test_pieces_are_bounded_and_the_first_and_last_turns_are_among_them() -> None:
    turns = [Turn("user", f"Sentence {number} of this. Another {number}.") for number in range(500)]
    found = pieces(turns)
    assert len(found) == PIECES
    assert found[0].text == "Sentence 0 of this."
    assert found[-1].text == "Another 499."


def test_tools_and_systems_say_nothing_and_half_characters_are_replaced() -> None:
    turns = [Turn("system", "Be nice."), Turn("tool", "42"), Turn("user", "A \ud800 b. A \ud800 b.")]
    assert [piece.text for piece in pieces(turns)] == ["A � b."]


def test_no_text_is_too_much_to_read() -> None:
    """Patterns over untrusted text: a second is far more than linear time needs."""
    draw = random.Random(0)
    hostile = [
        "1," * 50_000,
        "not " * 25_000,
        "if" * 50_000,
        "$" * 100_000,
        "a" * 100_000,
        "".join(draw.choice("0123456789,.$- ") for _ in range(100_000)),
    ]
    began = time.process_time()
    for text in hostile:
        found = pieces([Turn("user", text)])
        Number.of("refund_usd", text).judge(found, np.empty((0, 0), np.float32))
        claim(text, text)
        for piece in found:
            negated(piece.text)
            states(piece.text)
    assert time.process_time() - began < 5
