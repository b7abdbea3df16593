"""Tokens are estimated without a vocabulary. The true counts are those of o200k_base."""

import pytest

from shared.llm import estimate_tokens

PROSE = (
    "The customer wants to return a lamp that arrived broken, and asks whether the refund goes to the card. "
    "The agent looks up the order, finds that it was delivered on 12 May 2025, and offers a replacement instead."
)
JSON = (
    '{"order_id": "#W2378156", "items": [{"name": "Lamp", "price": 1299.5, "available": true}], "status": "delivered"}'
)
CODE = """\
def area(width: float, height: float) -> float:
    if width < 0:
        raise ValueError
    return width * height
"""
RUSSIAN = "Клиент хочет вернуть лампу, которая пришла разбитой, и спрашивает о возврате денег."
CHINESE = "客户想退回一盏到货时已经破损的台灯，并询问退款是否会退到信用卡上。"


@pytest.mark.parametrize(("text", "tokens"), [(PROSE, 47), (JSON, 40), (CODE, 31), (RUSSIAN, 23), (CHINESE, 28)])
def test_it_is_near_the_true_count(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.15)


def test_nothing_is_nothing_and_anything_is_something() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("a") == 1
    assert estimate_tokens("\x00") == 1
    assert estimate_tokens("\ud83d") >= 1


def test_it_grows_with_the_text() -> None:
    assert estimate_tokens(PROSE * 100) == pytest.approx(100 * estimate_tokens(PROSE), rel=0.02)
