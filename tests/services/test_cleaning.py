"""What is a trace's own: sentences that many traces share are left out, and code is."""

import time

import pytest

from services.summarizer.cleaning import COMMON, own, prose
from shared.content import sentence_key
from shared.models import Plan
from tests.services.conftest import PLAN

HELLO = "Welcome to the support of the shop."


def shared(**shares: float) -> Plan:
    """A plan in which these sentences (with _ for spaces) are in this share of the items."""
    return PLAN.model_copy(
        update={"common": {sentence_key(f"{name.replace('_', ' ')}."): share for name, share in shares.items()}}
    )


def test_what_many_traces_share_is_left_out_and_the_rest_keeps_its_order() -> None:
    plan = PLAN.model_copy(update={"common": {sentence_key(HELLO): 0.9}})
    assert own(f"My parcel is lost. {HELLO} It was order 7.", plan) == ["My parcel is lost.", "It was order 7."]


def test_a_sentence_at_the_limit_is_kept() -> None:
    plan = PLAN.model_copy(update={"common": {sentence_key(HELLO): COMMON}})
    assert own(f"{HELLO} My parcel is lost.", plan) == [HELLO, "My parcel is lost."]


def test_numbers_do_not_hide_a_template() -> None:
    plan = shared(you_are_customer_1=1.0)
    assert own("You are customer 4711.\nMy parcel is lost.", plan) == ["My parcel is lost."]


def test_a_text_is_never_emptied_its_rarest_sentences_come_back() -> None:
    plan = shared(very_common=0.9, less_common=0.6)
    assert own("Very common. Less common.", plan) == ["Less common."]
    assert own("Yes. Very common.", PLAN.model_copy(update={"common": plan.common | {sentence_key("Yes."): 0.4}})) == [
        "Yes.",
        "Very common.",
    ]


def test_a_sentence_is_said_once_and_rules_braces_and_numbers_are_none() -> None:
    assert own("1. Again and again. Again and again.\n{\n---\n}\n2. It is 7.", PLAN) == ["Again and again.", "It is 7."]
    assert own("1. Yes", PLAN) == ["Yes"]
    assert own("4711", PLAN) == ["4711"]
    assert own("", PLAN) == own(" \n ", PLAN) == []


@pytest.mark.parametrize(
    "code",
    [
        "```python\nprint('a b c d')\n```",
        "```\nnever closed: a b c d",
        "<execute>\nlook around the room now\n</execute>",
        "def add(one, two):",
        "from typing import List",
        "#include <stdio.h>",
        "const total = items.length;",
        "for item in items(1):",
        "x = compute the total",
        "{",
        "| a | b | c |",
        "Details",
    ],
)
def test_code_tables_and_labels_are_no_prose(code: str) -> None:
    assert prose(f"Here is the answer to it.\n{code}") == ["Here is the answer to it."]


@pytest.mark.parametrize(
    "line",
    [
        "If you like, I can do that for you.",
        "Use it for what you want: it is yours.",
        "The total (with tax) is 7.50 EUR.",
        "Yes.",
        "前序为xyz后序为zyx的二叉树个数是多少？",
        "with a colon at its end:",
    ],
)
def test_what_is_written_for_a_person_is_prose(line: str) -> None:
    assert prose(line) == [line]


def test_the_names_of_tags_are_left_out_and_what_they_hold_is_not() -> None:
    assert prose("<thought> I should look it up. </thought>") == ["I should look it up."]


@pytest.mark.parametrize("text", ["<" * 90_000, "a." * 45_000, "x = " * 20_000, "```" * 30_000, "<code" * 18_000])
def test_odd_texts_take_no_longer_than_others(text: str) -> None:
    """Traces are untrusted: no expression may run away on them."""
    begun = time.process_time()
    prose(text)
    own(text, PLAN)
    assert time.process_time() - begun < 2
