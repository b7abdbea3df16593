"""The language of a text is said where it is clear, and never wrongly of English."""

import json
from pathlib import Path

import pytest

from services.summarizer.language import language

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I want my money back for the lamp that never came.", "en"),
        ("how do i get a pin for my card", "en"),
        ("Hallo, wo bleibt meine Bestellung? Ich warte seit zehn Tagen darauf.", "de"),
        ("Bonjour, je voudrais être remboursé pour la commande 4711, merci.", "fr"),
        ("Hola, no puedo entrar en mi cuenta desde ayer, ¿me pueden ayudar?", "es"),
        ("напиши короткое стихотворение про осень", "ru"),
        ("一根木棍折成3段，围成正方形的概率是多少？", "zh"),
        ("こんにちは、注文はいつ届きますか。", "ja"),
        ("주문한 상품은 언제 도착하나요", "ko"),
    ],
)
def test_a_clear_case_is_named(text: str, code: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    "text", ["", "ok", "4711 0815", "refund", "🙃🙃🙃", "x = 3; y = 4", "\ud800\udfff" * 30, "\x00" * 90]
)
def test_of_too_little_text_nothing_is_said(text: str) -> None:
    assert language(text) is None


@pytest.mark.parametrize("name", ["labelled_banking77.jsonl", "labelled_clinc150.jsonl"])
def test_english_requests_are_hardly_ever_taken_for_others(name: str) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the checkout, in shared/data")
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines()[::20]]
    wrong = [text for text in texts if language(text) not in ("en", None)]
    assert len(wrong) < 0.005 * len(texts), wrong
