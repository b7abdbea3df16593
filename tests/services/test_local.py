"""What the summarizer hands over of a trace: its request, gist, tools, words and facts, whatever shape it came in."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.summarizer.local import Summary, summarize
from services.summarizer.story import LENGTH
from shared.content import sentence_key
from shared.features import Features
from shared.models import Plan
from shared.prompts import DEFAULT, Piece, parse
from tests.services.conftest import PLAN

PROMPT = parse(DEFAULT)
ASKED, FOUND, TOLD = "Where is my parcel?", '{"state":"lost"}', "Your parcel is lost, we send a new one."


def read(inputs: Any, outputs: Any = None, *, plan: Plan = PLAN, error: str | None = None) -> Summary:
    return summarize(PROMPT.render({"run": {"inputs": inputs, "outputs": outputs}}), plan, error)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def answer(text: str, *tools: str) -> dict[str, Any]:
    calls = [{"id": "1", "function": {"name": name, "arguments": "{}"}} for name in tools]
    return {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}


SYSTEM = {"role": "system", "content": "Be kind to customers."}
OPENAI = [
    SYSTEM,
    user(ASKED),
    answer("", "find_order"),
    {"role": "tool", "tool_call_id": "1", "content": FOUND},
    answer(TOLD),
]
ANTHROPIC = [
    user(ASKED),
    {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "find_order", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": FOUND}]},
    {"role": "assistant", "content": [{"type": "text", "text": TOLD}]},
]
LANGCHAIN = [
    {"type": "system", "content": "Be kind."},
    {"type": "human", "content": ASKED},
    {"type": "ai", "content": "", "tool_calls": [{"name": "find_order", "args": {}, "id": "1"}]},
    {"type": "tool", "content": FOUND, "status": "success"},
    {"type": "ai", "content": TOLD},
]
GEMINI = [
    {"role": "user", "parts": [{"text": ASKED}]},
    {"role": "model", "parts": [{"functionCall": {"name": "find_order", "args": {}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "find_order", "response": {"state": "lost"}}}]},
    {"role": "model", "parts": [{"text": TOLD}]},
]


@pytest.mark.parametrize("messages", [OPENAI, ANTHROPIC, LANGCHAIN, GEMINI])
@pytest.mark.parametrize("cut", [2, 99])
def test_a_conversation_is_the_same_whoever_recorded_it_and_wherever_its_outputs_begin(
    messages: list[Any], cut: int
) -> None:
    found = read({"messages": messages[:cut]}, {"messages": messages if cut == 2 else messages[cut:]})
    assert found.features.request == ASKED
    assert found.gist == f"{ASKED}\n{TOLD}"
    assert found.features.tools == ("find_order",)
    assert found.features.length == len(ASKED) + len(TOLD)
    assert found.features.words["parcel"] == 2
    assert "lost" in found.features.words
    assert "kind" not in found.features.words
    assert (found.conduct.messages, found.conduct.tool_calls, found.conduct.tool_errors) == (4, 1, 0)
    assert found.text == f"{ASKED} Tools: find_order. Answer: {TOLD}"


def test_all_that_the_user_said_is_the_request_without_what_most_traces_share() -> None:
    plan = PLAN.model_copy(update={"common": {sentence_key("You are an agent of the shop."): 1.0}})
    messages = [user("You are an agent of the shop.\nMy lamp is broken."), answer("I see."), user("I want a new one.")]
    found = read({"messages": messages}, plan=plan)
    assert found.features.request == "My lamp is broken.\nI want a new one."
    assert found.gist == "My lamp is broken.\nI see."


def test_what_is_no_conversation_is_the_request_of_a_user() -> None:
    found = read({"ticket": "My lamp is broken.", "number": 7})
    assert found.features.request == "My lamp is broken.\nnumber: 7"
    assert (found.gist, found.conduct.user_turns, found.conduct.refusal) == ("", 1, None)


def test_the_template_of_the_prompt_is_no_part_of_a_summary() -> None:
    pieces = [Piece("Summarise this: ", False), Piece("My parcel is lost.", True, "My parcel is lost.")]
    assert summarize(pieces, PLAN).text == "My parcel is lost."


def test_where_no_user_speaks_the_first_words_count_and_a_system_prompt_only_where_there_is_nothing_else() -> None:
    assert read({"messages": [SYSTEM, answer("The backup is done.")]}).features.request == "The backup is done."
    assert read({"messages": [SYSTEM]}).features.request == "Be kind to customers."


def test_the_gist_has_no_code_and_the_begin_of_a_long_request() -> None:
    found = read({"messages": [user("word " * 200), answer("Use this loop here:\n```\nfor x in y: z\n```")]})
    assert found.gist.endswith("\nUse this loop here:")
    assert len(found.gist) < 600


@pytest.mark.parametrize("nothing", [None, "", {}, {"messages": []}, {"messages": [user("")]}, {"a": None}])
def test_an_empty_trace_says_so(nothing: Any) -> None:
    found = read(nothing)
    assert found.text == "(empty)"
    assert (found.features, found.gist) == (Features(), "")


def test_repeats_of_a_tool_in_a_row_are_one() -> None:
    found = read({"messages": [answer("", "a", "a"), answer("", "a", "b"), answer("", "a")]})
    assert found.features.tools == ("a", "b", "a")


def test_everything_handed_over_is_bounded() -> None:
    words = " ".join(f"word{n}" for n in range(5_000))
    messages = [user(words), *(answer("", f"tool{n}", *["t"] * 50) for n in range(1_000)), answer(words)]
    found = read({"messages": messages})
    assert len(found.features.request) == Features.REQUEST
    assert len(found.features.tools) == Features.TOOLS
    assert len(found.features.words) <= Features.WORDS
    assert len(found.text) <= LENGTH
    assert len(found.features.pack()) < 100_000


def test_the_same_trace_gives_the_same_bytes() -> None:
    """Whatever the order in which words tie."""
    text = " ".join(f"w{n}" for n in range(2_000))
    assert read(text).features.pack() == read(text).features.pack()
    assert list(read("zebra apple").features.words) == ["apple", "zebra"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.text(max_size=80)), max_size=6))
def test_no_text_makes_it_raise_and_no_summary_is_empty_or_holds_half_a_character(said: list[tuple[str, str]]) -> None:
    found = read({"messages": [{"role": role, "content": text} for role, text in said]})
    assert 0 < len(found.text) <= LENGTH
    assert found.text.encode()
    assert Features.unpack(found.features.pack()) == found.features


def test_a_trace_of_200_tokens_takes_little() -> None:
    """The bar is 3 ms beside the vectors: ten times as much is a mistake, not a slow machine."""
    messages = [user("I would like to know where my parcel is. " * 8), answer("It is on its way to you. " * 16, "find")]
    read({"messages": messages})
    begun = time.process_time()
    for _ in range(20):
        read({"messages": messages})
    assert (time.process_time() - begun) / 20 < 0.03


def test_a_huge_trace_is_read_within_a_second_or_so() -> None:
    messages = [
        user("a b. " * 100_000),
        *[{"role": "tool", "content": "error? " * 10_000}] * 50,
        answer("c d. " * 90_000),
    ]
    begun = time.process_time()
    read({"messages": messages})
    assert time.process_time() - begun < 5
