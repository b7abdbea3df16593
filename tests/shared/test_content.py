"""Turns out of the messages of every maker, and sentences; no shape makes them raise."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.content import MAX_TURNS, folded, sentence_key, split, turns
from shared.messages import MAX_CALLS, MAX_TEXT, Call, Turn

USER, ANSWER = Turn("user", "hi"), Turn("assistant", "hello")
PLAIN = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def lc(name: str, **kwargs: Any) -> dict[str, Any]:
    """A message as LangChain serialises it."""
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


@pytest.mark.parametrize(
    "value",
    [
        PLAIN,
        {"messages": PLAIN, "language": "de"},
        {"messages": [PLAIN]},
        {"input": PLAIN},
        [{"type": "human", "content": "hi"}, {"type": "ai", "content": "hello"}],
        [{"type": "human", "data": {"content": "hi"}}, {"type": "ai", "data": {"content": "hello"}}],
        [lc("HumanMessage", content="hi", type="human"), lc("AIMessage", content="hello", type="ai")],
        [lc("HumanMessage", content="hi"), lc("AIMessageChunk", content="hello")],
        {"messages": [["user", "hi"], ["ai", "hello"]]},
        [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "hello"}, {"type": "thinking", "thinking": "…"}],
            },
        ],
        [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "hello"}]}],
        [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]},
        ],
    ],
)
def test_the_messages_of_every_maker_are_read_as_the_same_turns(value: Any) -> None:
    assert turns([value]) == [USER, ANSWER]


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}, {"index": 1}]},
        {"generations": [[{"text": "hello", "message": lc("AIMessage", content="hello")}]]},
        {"generations": [{"text": "hello"}]},
        {"role": "assistant", "content": "hello"},
        {"role": "assistant", "content": "hello", "data": {"content": "something of the application"}},
        {"output": lc("AIMessage", content="hello")},
    ],
)
def test_the_answer_of_a_model_is_one_turn(value: Any) -> None:
    assert turns([value]) == [ANSWER]


@pytest.mark.parametrize(
    ("message", "turn"),
    [
        ({"role": "developer", "content": "x"}, Turn("system", "x")),
        ({"role": "system", "content": "x"}, Turn("system", "x")),
        ({"role": "function", "content": "x"}, Turn("tool", "x")),
        ({"type": "tool", "content": "x", "tool_call_id": "1"}, Turn("tool", "x")),
        ({"role": "planner", "content": "x"}, Turn("user", "x")),
        ({"role": "get_weather", "content": "x", "tool_call_id": "1"}, Turn("tool", "x")),
        ({"type": "tool", "content": "x", "status": "error"}, Turn("tool", "x", failed=True)),
        ({"type": "tool", "data": {"content": "x", "status": "success"}}, Turn("tool", "x", failed=False)),
        ({"role": "user", "content": [{"type": "tool_result", "content": [{"text": "x"}]}]}, Turn("tool", "x")),
        (
            {"role": "user", "content": [{"type": "tool_result", "content": "x", "is_error": True}]},
            Turn("tool", "x", failed=True),
        ),
        (
            {"role": "user", "parts": [{"functionResponse": {"name": "find", "response": {"n": 1}}}]},
            Turn("tool", '{"n":1}'),
        ),
        ({"type": "function_call_output", "call_id": "1", "output": "x"}, Turn("tool", "x")),
    ],
)
def test_roles_are_brought_to_four(message: Any, turn: Turn) -> None:
    assert turns([[message]]) == [turn]


OPENAI_CALLS = [{"id": "1", "function": {"name": "find", "arguments": "{}"}}, {"function": {"name": "book"}}]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": OPENAI_CALLS},
        {"type": "ai", "content": "", "tool_calls": [{"name": "find", "args": {}}, {"name": "book", "args": {}}]},
        {"type": "ai", "content": "", "additional_kwargs": {"tool_calls": OPENAI_CALLS}},
        lc(
            "AIMessage",
            content=[{"type": "tool_use", "name": "find"}, {"type": "tool_use", "name": "book"}],
            tool_calls=[{"name": "find"}, {"name": "book"}],
            additional_kwargs={"tool_calls": OPENAI_CALLS},
        ),
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "name": "find", "input": {}}, {"type": "tool_use", "name": "book"}],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "find"}}, {"functionCall": {"name": "book"}}]},
    ],
)
def test_the_tools_that_a_message_calls_are_named_once_each(message: Any) -> None:
    [turn] = turns([[message]])
    assert (turn.role, turn.text, turn.tools) == ("assistant", "", ("find", "book"))


def test_results_of_several_tools_are_turns_of_their_own_before_what_the_user_says_with_them() -> None:
    blocks = [{"type": "tool_result", "content": "a"}, {"type": "text", "text": "hi"}, {"type": "tool_result"}]
    assert turns([[{"role": "user", "content": blocks}]]) == [Turn("tool", "a"), Turn("tool", ""), USER]


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"name": "find", "arguments": '{"a":1,"b":[2]}'}},
        {"name": "find", "args": {"b": [2], "a": 1}},
        {"name": "find", "input": {"a": 1, "b": [2]}},
    ],
)
def test_arguments_are_the_same_text_whoever_wrote_them_and_in_whatever_order(call: Any) -> None:
    """Else a call that is repeated looks like a new one."""
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    assert turns([[message]]) == [Turn("assistant", "", (Call("find", '{"a":1,"b":[2]}'),))]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}},
        {"type": "function_call", "call_id": "1", "name": "find", "arguments": "{}"},
    ],
)
def test_a_single_function_call_is_a_tool(message: Any) -> None:
    assert turns([[message]]) == [Turn("assistant", "", (Call("find", "{}"),))]


def test_of_a_multimodal_message_the_text_is_read() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "what is"}, image, {"type": "text", "text": "this?"}]
    assert turns([[{"role": "user", "content": content}]]) == [Turn("user", "what is\nthis?")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  just text ", "just text"),
        ({"question": "é"}, "é"),
        ({"question": "Why is it late?", "n": 1, "paid": False, "left": None}, "Why is it late?\nn: 1\npaid: false"),
        ({"order": {"state": "lost", "lines": ["a lamp", "b"]}}, "state: lost\na lamp\nlines: b"),
        ([1, "a"], "1\na"),
        (7, "7"),
        (["user", "not a pair here"], "user\nnot a pair here"),
        ({"messages": "hi"}, "hi"),
        ({"messages": ["hi"]}, "hi"),
        ({"messages": ["user", "hi"]}, "hi"),
        ({"messages": [1]}, "1"),
        ([{"type": "text", "text": "no role"}], "type: text\nno role"),
    ],
)
def test_anything_else_is_one_turn_of_the_user(value: Any, text: str) -> None:
    """A structure by the line, as a person would read it: what all traces share of it can then be left out."""
    assert turns([value]) == [Turn("user", text)]


@pytest.mark.parametrize("value", [None, "", "  ", [{"role": "user", "content": ""}], object(), print])
def test_nothing_said_is_no_turn(value: Any) -> None:
    assert turns([value]) == []


def test_outputs_that_repeat_the_inputs_are_taken_once() -> None:
    inputs, outputs = {"messages": PLAIN[:1]}, {"messages": [lc("HumanMessage", content="hi"), PLAIN[1]]}
    assert turns([inputs, outputs]) == [USER, ANSWER]
    assert turns([inputs, outputs, {"messages": [*PLAIN, *PLAIN[:1]]}]) == [USER, ANSWER, USER]


def test_outputs_that_tell_what_was_before_the_inputs_are_taken_whole() -> None:
    """A graph with a memory is given the new message alone and gives back all."""
    before = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    told = [Turn("user", "one"), Turn("assistant", "two"), USER, ANSWER]
    assert turns([{"messages": PLAIN[:1]}, {"messages": [*before, *PLAIN]}]) == told
    assert turns([{"messages": PLAIN[:1]}, "more", {"messages": PLAIN}]) == [Turn("user", "more"), USER, ANSWER]


def test_outputs_that_go_on_after_the_inputs_are_kept_whole() -> None:
    assert turns([{"messages": PLAIN[:1]}, {"messages": PLAIN[1:]}]) == [USER, ANSWER]
    assert turns([{"messages": PLAIN}, {"messages": PLAIN[1:]}]) == [USER, ANSWER, ANSWER]


def test_texts_tools_and_turns_are_bounded() -> None:
    blocks = [{"type": "text", "text": "x" * 60_000}] * 3
    long = {"role": "user", "content": blocks, "tool_calls": [{"name": "t"}] * 5_000}
    one, *_ = read = turns([[long, *[{"role": "user", "content": "x"}] * 20_000], "y" * 200_000])
    assert (len(one.text), len(one.calls), len(read)) == (MAX_TEXT, MAX_CALLS, MAX_TURNS)
    assert [len(turn.text) for turn in turns(["y" * 200_000])] == [MAX_TEXT]


def test_deep_nesting_is_read_without_an_error() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = {"content": [deep]}
    assert turns([[{"role": "user", "content": deep}]]) == []
    assert turns([{"messages": {"messages": deep}}]) == [Turn("user", "…")]


def test_sentences_end_at_a_stop_with_space_or_at_a_line_end() -> None:
    text = " Pay 3.50 EUR now!  Really?\nSee a.b/c.\n\n好。是吗？ Yes"
    assert split(text) == ["Pay 3.50 EUR now!", "Really?", "See a.b/c.", "好。", "是吗？", "Yes"]
    told = [folded(sentence) for sentence in split(text)]
    assert told == ["pay 0.0 eur now!", "really?", "see a.b/c.", "好。", "是吗？", "yes"]


def test_a_sentence_does_not_end_at_an_abbreviation_or_an_initial() -> None:
    text = "Ask Dr. Who about George H. W. Bush, e.g. his office. Then write."
    assert split(text) == ["Ask Dr. Who about George H. W. Bush, e.g. his office.", "Then write."]


def test_a_key_is_the_same_for_sentences_that_differ_in_case_space_and_numbers() -> None:
    assert sentence_key("Order  12 is\tLATE.") == sentence_key("order 7 is late.")
    assert sentence_key("Order 12 is late.") != sentence_key("Order 12 is here.")
    assert len(sentence_key("\ud800")) == 16


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_a_key_does_not_mind_whether_its_sentence_is_folded(text: str) -> None:
    assert sentence_key(folded(text)) == sentence_key(text)


NAMES = st.sampled_from(
    ["role", "type", "content", "text", "messages", "kwargs", "id", "data", "tool_calls", "function", "name", "parts"]
) | st.sampled_from(
    ["function_call", "additional_kwargs", "choices", "generations", "message", "input", "output", "arguments"]
)
WORDS = st.sampled_from(["user", "ai", "constructor", "tool_use", "function_call", "AIMessage", "hi", ""])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ODD, max_size=3))
def test_no_shape_makes_it_raise_or_gives_an_empty_turn(values: list[Any]) -> None:
    assert all(turn.text or turn.calls or turn.role == "tool" for turn in turns(values))
