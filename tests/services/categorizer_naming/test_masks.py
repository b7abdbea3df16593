"""What is quoted shows no ids and is short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.categorizer.naming.masks import HIDDEN, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Cancel order #W5061109, please", f"Cancel order {HIDDEN}, please"),
        ("I am mia_garcia_4516.", f"I am {HIDDEN}."),
        ("write to mia@example.com now", f"write to {HIDDEN} now"),
        ("see https://example.com/a?b=c", f"see {HIDDEN}"),
        ("on 12 May 2024", f"on {HIDDEN} May {HIDDEN}"),
        ("code 12 34 56 ends", f"code {HIDDEN} ends"),
        ("two\nlines\tand\x00 more", "two lines and more"),
        ("12 34", ""),
        ("", ""),
    ],
)
def test_ids_numbers_and_addresses_are_masked(text: str, shown: str) -> None:
    assert quoted(text, 110) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_it_is_bounded_printable_and_without_digits(text: str) -> None:
    shown = quoted(text, 40)
    assert len(shown) <= 44
    assert not any(sign.isdigit() for sign in shown)
    shown.encode()
