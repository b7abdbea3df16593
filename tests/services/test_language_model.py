"""The languages' tables are mapped while texts come, and say the same wherever they are."""

import logging
import os
from pathlib import Path

import pytest

from services.summarizer.language_model import LanguageModel

CACHE = Path(__file__).parents[2] / ".cache" / "insights"  # made once a checkout, as a user's is
TEXT = "Hallo, wo bleibt meine Bestellung? Ich warte seit zehn Tagen darauf."
TOO_LONG = 60.0  # seconds


def test_without_texts_the_tables_are_let_go_and_come_again() -> None:
    model = LanguageModel(CACHE, idle=0.0)
    first = model.classify(TEXT)
    assert model.watch is not None
    model.watch.join(TOO_LONG)
    assert not model.loaded

    assert model.classify(TEXT) == first
    assert first[0] == "de"


def test_while_texts_come_the_tables_stay() -> None:
    model = LanguageModel(CACHE, idle=TOO_LONG)
    model.classify(TEXT)
    watch = model.watch

    model.classify(TEXT)
    assert model.loaded
    assert model.watch is watch


def test_without_a_place_to_keep_them_the_tables_are_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()

    with caplog.at_level(logging.WARNING):
        found = LanguageModel(tmp_path / "file").classify(TEXT)

    assert found == LanguageModel(CACHE).classify(TEXT)
    assert "set INSIGHTS_CACHE to a folder" in caplog.text


@pytest.mark.parametrize("name", ["weights", "moves", "labels"])
def test_damaged_tables_are_said_and_do_without(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As after a full disk: never another language, never a process that dies of a page that is not there."""
    LanguageModel(CACHE).classify(TEXT)
    [made] = CACHE.glob("languages-*")
    copy = tmp_path / made.name
    copy.mkdir()
    for file in made.iterdir():
        os.link(file, copy / file.name)
    (copy / f"{name}.npy").unlink()
    (copy / f"{name}.npy").write_bytes((made / f"{name}.npy").read_bytes()[:100])

    with caplog.at_level(logging.WARNING):
        found = LanguageModel(tmp_path).classify(TEXT)

    assert found[0] == "de"
    assert "Delete that folder if it is damaged" in caplog.text
