"""Figures and sentences read as people write them, and what is too long ends where a reader can stop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wording import counted, shortened

TEXT = "Refunds fail most. They take a minute (twice that of orders, at the median of all traces)."


@pytest.mark.parametrize(
    ("n", "noun", "said"),
    [(1, "trace", "1 trace"), (0, "trace", "0 traces"), (1_234, "thread", "1,234 threads"), (2, "query", "2 queries")],
)
def test_one_is_singular_and_all_else_plural(n: int, noun: str, said: str) -> None:
    assert counted(n, noun) == said


@pytest.mark.parametrize(
    ("longest", "said"),
    [
        (len(TEXT), TEXT),
        (30, "Refunds fail most. …"),
        (70, "Refunds fail most. They take a minute…"),
        (45, "Refunds fail most. They take a minute…"),
        (20, "Refunds fail most. …"),
        (10, "Refunds…"),
    ],
)
def test_a_text_is_cut_after_a_sentence_a_clause_or_a_word_and_never_within_brackets(longest: int, said: str) -> None:
    assert shortened(TEXT, longest) == said


@given(st.text(st.sampled_from("ab ,.(?)"), max_size=60), st.integers(1, 40))
def test_a_cut_text_is_never_too_long_and_begins_as_it_began(text: str, longest: int) -> None:
    cut = shortened(text, longest)
    assert len(cut) <= longest
    assert text.startswith(cut.removesuffix("…").rstrip())
