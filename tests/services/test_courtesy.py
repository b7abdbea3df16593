"""What people and agents say around what they mean is told from what they mean."""

import time

import pytest

from services.summarizer.courtesy import is_courtesy, without_greeting


@pytest.mark.parametrize(
    "sentence",
    [
        "Hi there!",
        "Good morning, dear support team.",
        "Yes, please.",
        "Can you help me with that?",
        "I need some help.",
        "Thank you so much for your help!",
        "I am very sorry for the trouble.",
        "My apologies for the confusion.",
        "You're very welcome!",
        "Sure, my user ID is mia_li_3668.",
        "I don't have the reservation ID with me right now.",
        "It is ada@example.com.",
        "If you have any further questions, please let me know.",
        "Is there anything else I can help you with?",
        "Please let me know which one you would like.",
        "I'm here to help.",
        "Have a great day!",
        "Happy to help.",
        "Anything else, just write.",
        "Kind regards, Ada Lovelace",
        "No, that's all I needed.",
        "Please hold on for a moment.",
    ],
)
def test_a_courtesy_says_nothing_of_the_matter(sentence: str) -> None:
    assert is_courtesy(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I need help with a parcel that never came.",
        "My order number 7 is missing a lamp.",
        "The address on my invoice is wrong.",
        "Please cancel my flight.",
        "No refund has come since last week.",
        "Your booking has been cancelled.",
        "If the flight is delayed, I want a refund.",
        "Can you tell me why this happened?",
        "Sorry, but your order cannot be changed because it has been sent.",
    ],
)
def test_what_is_meant_is_no_courtesy(sentence: str) -> None:
    assert not is_courtesy(sentence)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Hi, I want my money back.", "I want my money back."),
        ("Hello there! where is it?", "Where is it?"),
        ("Dear support team, where is it?", "Where is it?"),
        ("Assistant: it is on its way.", "It is on its way."),
        ("hide the column", "Hide the column"),
        ("", ""),
    ],
)
def test_the_greeting_before_what_is_meant_is_taken_away(sentence: str, said: str) -> None:
    assert without_greeting(sentence) == said


@pytest.mark.parametrize("part", ["a", "a ", "@", "my ", "if you ", "hi ", "don't have "])
def test_no_sentence_takes_long(part: str) -> None:
    begun = time.process_time()
    is_courtesy(part * 40)
    without_greeting(part * 50_000)
    assert time.process_time() - begun < 0.5
