"""A quote counts if the trace says it: word for word, white space, case and typography aside."""

import json
import time

import pytest

from shared.quotes import LONGEST, found

TEXT = "User: I’ve waited for three weeks —\n  that is “absurd”.\nTool error: Error: card_declined (code 51)"


@pytest.mark.parametrize(
    "quote",
    [
        "waited for three weeks",
        "I've waited for three weeks",
        "WAITED  for\nthree weeks",
        'three weeks - that is "absurd"',
        '"that is absurd"'.replace("absurd", "“absurd”"),
        "that is “absurd”.",
        "card_declined (code 51)",
        "waited for three weeks…",
    ],
)
def test_what_the_trace_says_is_found(quote: str) -> None:
    assert found(quote, TEXT)


@pytest.mark.parametrize(
    "quote",
    ["waited for four weeks", "that is not absurd", "weeks I waited", "", "weeks", "…", "a" * 400, "three weeks " * 40],
)
def test_what_it_does_not_say_or_what_is_no_quote_is_not(quote: str) -> None:
    assert not found(quote, TEXT)


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_what_json_escapes_is_found_as_a_person_reads_it() -> None:
    said = 'He said "no" —\n\tand left C:\\temp at once'
    assert found('said "no" — and left', dumped({"a": said}))
    assert found("and left C:\\temp at once", dumped({"a": said}))
    assert found('said "no" — and left', dumped({"a": dumped({"b": said})}))


def test_no_text_is_too_odd_or_too_long() -> None:
    begun = time.perf_counter()
    assert not found("not in it at all", "\ud800\x00\\" * 500_000)
    assert not found("\\" * LONGEST, "\\" * 2_000_000)
    assert time.perf_counter() - begun < 10
