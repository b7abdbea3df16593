"""Numbers in sentences are those that were counted: by value and unit, however they are written."""

import pytest

from services.aggregator.numbers import computed, strange

FIGURES = ["41 of 1,340 traces (12 %), median time 4.1 s, median cost $0.012, <1 % refusals"]


@pytest.mark.parametrize(
    "text",
    [
        "12 % fail",
        "12% fail, 41 of 1340",
        "twelve percent is no number here, but 12 percent is".replace("twelve percent", "much"),
        "4.1 seconds and 4.1s",
        "it costs $0.012 or 0.012 dollars",
        "under 1 % refuse",
        "nothing is counted",
    ],
)
def test_a_number_is_known_however_it_is_written(text: str) -> None:
    assert strange(text, FIGURES) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("13 % fail", ["13 %"]),
        ("12 fail", ["12"]),  # the figure is a percentage
        ("41 % fail", ["41 %"]),  # the figure is a count
        ("4.1 minutes", ["4.1 minutes"]),
        ("1.34k traces", ["1.34k"]),
        ("41x slower", ["41x"]),
        ("three of them", ["three"]),
        ("costs $4.1", ["$4.1"]),
        ("٤٢ %", ["٤٢ %"]),
    ],
)
def test_another_value_or_another_unit_is_strange(text: str, told: list[str]) -> None:
    assert strange(text, FIGURES) == told


@pytest.mark.parametrize("word", ["twice", "half", "a third", "doubled", "tenfold", "dozens"])
def test_words_that_compute_are_found(word: str) -> None:
    assert computed(f"It is {word} of the rest") == word
    assert computed("Most of them behave, and some do not") is None
