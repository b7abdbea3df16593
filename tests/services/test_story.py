"""A summary says what was wanted, what was done and how it ended, in the trace's own words."""

import pytest

from services.summarizer.conduct import conduct
from services.summarizer.local import requests
from services.summarizer.story import ENDED, LENGTH, WANTED, cut, tell
from shared.messages import Call, Turn
from tests.services.conftest import PLAN


def story(*told: Turn, error: str | None = None) -> str:
    return tell(told, requests(told), conduct(told, error), PLAN, error)


def user(text: str) -> Turn:
    return Turn("user", text)


def answer(text: str, *tools: str) -> Turn:
    return Turn("assistant", text, tuple(Call(name) for name in tools))


LOST = user("My parcel is lost.")


def test_courtesies_are_left_out_of_what_was_wanted_and_of_how_it_ended() -> None:
    told = [
        user("Hi there! I hope you are well. My parcel is lost."),
        answer("I have sent a new parcel. Is there anything else I can help you with? Have a nice day!"),
    ]
    assert story(*told) == "My parcel is lost. Answer: I have sent a new parcel."


def test_a_request_that_says_little_goes_on_with_what_the_user_said_next() -> None:
    assert story(user("I need some help."), answer("With what?"), LOST).startswith("My parcel is lost.")


def test_of_a_long_request_what_asks_for_something_is_told() -> None:
    text = (
        "You see a room. "
        + "".join(f"There is a drawer {n} in it. " for n in range(20))
        + "\nYour task is to find a cup."
    )
    told = story(user(f"Play with me in a house. {text}"))
    assert told == "Play with me in a house. Your task is to find a cup."


def test_tools_are_named_in_order_with_repeats_and_failures() -> None:
    told = [LOST, answer("", "find", "send", "send"), Turn("tool", "Error: no"), answer("", "find")]
    assert story(*told) == "My parcel is lost. Tools: find, send ×2, find (1 failed). No answer."


def test_of_many_tools_the_rest_is_counted() -> None:
    assert "t7 and 12 more." in story(LOST, answer("", *(f"t{n}" for n in range(20))))


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        ("I looked. Which of the two parcels do you mean?", "Asked back: Which of the two parcels do you mean?"),
        ("I am sorry. I cannot refund it without a receipt.", "Declined: I cannot refund it without a receipt."),
        ("I will transfer you to a human agent now.", "Handed over: I will transfer you to a human agent now."),
        ("First of all this. Then the other. It has been sent again. All is well here.", "Answer: It has been sent"),
        ("These are the parcels:\n- **lamp**", "Answer: These are the parcels…"),
        ("```\ncode only here\n```", "Answer: ``` code only here ```"),
    ],
)
def test_the_end_is_told_with_how_to_take_it(last: str, ending: str) -> None:
    assert story(LOST, answer(last)).startswith(f"My parcel is lost. {ending}")


def test_a_farewell_at_the_end_does_not_hide_the_answer_before_it() -> None:
    told = [LOST, answer("A new parcel is on its way."), user("Thanks!"), answer("You're welcome! Take care!")]
    assert story(*told) == "My parcel is lost. Answer: A new parcel is on its way."


def test_a_hand_over_by_a_tool_is_told_even_where_no_sentence_says_it() -> None:
    assert story(LOST, answer("", "transfer_to_human_agents")).endswith("Handed over to a person.")
    assert story(LOST, answer("Shall I transfer you?", "transfer_to_human_agents")).endswith("Handed over to a person.")


def test_the_error_of_a_run_is_its_end() -> None:
    assert story(LOST, answer("Wait."), error="TimeoutError: 30 s\n  at line 7") == (
        "My parcel is lost. Error: TimeoutError: 30 s at line 7"
    )


def test_where_no_user_speaks_the_answer_is_told_once() -> None:
    assert story(answer("The nightly backup is done.")) == "Answer: The nightly backup is done."


def test_a_text_without_an_agent_has_no_end() -> None:
    assert story(LOST) == "My parcel is lost."


def test_a_summary_has_no_markup_no_half_character_and_is_bounded() -> None:
    assert story(user("# Please **find** the `lost` parcel \ud800")) == "Please find the lost parcel \ufffd"
    long = story(user("Find parcel " * 900), answer("Found parcel " * 900, *("long_tool_name" * 9,) * 50))
    assert len(long) <= LENGTH
    assert WANTED + ENDED < LENGTH


def test_a_text_is_cut_at_a_word_and_marked() -> None:
    assert cut("alpha beta, gamma", 13) == "alpha beta…"
    assert cut("alpha", 5) == "alpha"
    assert len(cut("x" * 50, 10)) == 10
