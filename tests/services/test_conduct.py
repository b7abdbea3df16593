"""The facts of a conversation are counted exactly, and what was not there to count is unknown."""

import json
import time
from pathlib import Path

import pytest

from services.summarizer.conduct import asks, conduct, declines, hands_over
from shared.content import turns
from shared.effort import effort
from shared.messages import Call, Turn
from shared.models import Conduct

DATA = Path(__file__).parents[3] / "shared" / "data"

FIND = Call("find", '{"id":1}')


def user(text: str) -> Turn:
    return Turn("user", text)


def answer(text: str, *calls: Call) -> Turn:
    return Turn("assistant", text, calls)


def result(text: str, failed: bool | None = None) -> Turn:
    return Turn("tool", text, failed=failed)


def test_every_fact_of_a_conversation_is_counted() -> None:
    told = [
        user("Where is it?"),
        answer("Let me look.", FIND, Call("find", '{"id":2}')),
        result("Error: not found"),
        result("on its way"),
        answer("", FIND),
        result("on its way"),
        user("And?"),
        answer("Is it the red one?"),
    ]
    assert conduct(told) == Conduct(
        messages=8,
        user_turns=2,
        answer_length=len("Let me look.Is it the red one?"),
        tool_calls=3,
        tool_errors=1,
        last_result_error=False,
        repeated_calls=1,
        repeated_results=1,
        handed_over=False,
        refusal=False,
        ends_in_question=True,
        out_of_budget=False,
    )


def test_without_results_or_an_answer_nothing_is_said_of_them() -> None:
    found = conduct([user("Hello?")])
    assert (found.tool_errors, found.last_result_error, found.repeated_results) == (None, None, None)
    assert (found.refusal, found.ends_in_question) == (None, None)
    assert conduct([]) == Conduct()


@pytest.mark.parametrize(
    "sentence",
    [
        "I will transfer you to a human agent now.",
        "You are being transferred to a live agent.",
        "I have handed you over to a colleague.",
        "I have escalated this to our support team.",
        "A colleague will get back to you.",
    ],
)
def test_an_answer_that_gives_the_case_to_somebody_else_hands_over(sentence: str) -> None:
    assert hands_over(sentence)
    assert conduct([user("x"), answer(f"I see. {sentence}")]).handed_over


@pytest.mark.parametrize(
    "sentence",
    [
        "Would you like me to transfer you to a human agent?",
        "I can transfer you to a human agent.",
        "If you wish, I will connect you to a specialist.",
        "I have transferred the money to your account.",
    ],
)
def test_an_offer_hands_nothing_over(sentence: str) -> None:
    assert not hands_over(sentence)


@pytest.mark.parametrize(
    ("tool", "handed"),
    [
        ("transfer_to_human_agents", True),
        ("escalate", True),
        ("transfer_to_flight_agent", False),
        ("desk__escalate_to_human", True),
    ],
)
def test_a_tool_that_calls_a_person_hands_over_and_one_that_calls_an_agent_does_not(tool: str, handed: bool) -> None:
    assert conduct([answer("", Call(tool))]).handed_over is handed


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("Unfortunately, I am unable to process a refund.", True),
        ("We are not allowed to change it.", True),
        ("This ticket cannot be refunded.", True),
        ("I can't believe how well it went!", False),
        ("I can’t help but smile.", False),
        ("If you can't open it, restart the app.", False),
        ("It is done.", False),
    ],
)
def test_an_answer_declines_where_it_says_what_it_will_not_do(text: str, declined: bool) -> None:
    assert declines(text) is declined


@pytest.mark.parametrize(
    ("text", "asked"), [("Which one?", True), ("**Which one?**\n", True), ("どれですか？", True), ("This one.", False)]
)
def test_an_answer_asks_where_it_ends_in_a_question(text: str, asked: bool) -> None:
    assert asks(text) is asked


@pytest.mark.parametrize(
    "told",
    [
        [answer("Sorry, need more steps to process this request.")],
        [answer("Agent stopped due to iteration limit or time limit.")],
        [answer("x"), result("You have 0 steps left.")],
    ],
)
def test_an_end_for_want_of_steps_or_time_is_known(told: list[Turn]) -> None:
    assert conduct(told).out_of_budget
    assert conduct([user("x")], "Recursion limit of 25 reached").out_of_budget
    assert conduct([user("x")], "max_steps").out_of_budget
    assert not conduct([answer("I have 3 steps left.")]).out_of_budget


def test_effort_tells_failed_runs_of_a_public_set_from_good_ones() -> None:
    """Measured: an AUROC of .70 on these 200 runs, without fitting."""
    path = DATA / "traces_tau_bench.jsonl"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the checkout, in shared/data")
    runs = [run for run in map(json.loads, path.read_text().splitlines()) if run["truth"].get("reward") is not None]
    told = [[turn for turn in turns([run["inputs"], run["outputs"]]) if turn.role != "system"] for run in runs]
    ranks = [rank or 0 for rank in effort([conduct(one) for one in told], [False] * len(runs))]
    failed = [rank for rank, run in zip(ranks, runs, strict=True) if run["truth"]["reward"] < 1]
    good = [rank for rank, run in zip(ranks, runs, strict=True) if run["truth"]["reward"] >= 1]
    wins = sum((bad > well) + 0.5 * (bad == well) for bad in failed for well in good)
    assert wins / len(failed) / len(good) >= 0.68


@pytest.mark.parametrize("part", ["error ", "a.", "a: ", "i can ", "transfer ", "\n", "{", "out of ", "x" * 50 + "."])
def test_no_text_takes_long(part: str) -> None:
    text = part * (90_000 // len(part))
    begun = time.process_time()
    conduct([result(text), answer(text), answer(text)], text)
    assert time.process_time() - begun < 1
