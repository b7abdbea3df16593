"""A model's price is what the list or the user's file says; else it is unknown, never nothing."""

from datetime import date
from pathlib import Path

import pytest

from shared.errors import UsageError
from shared.llm import Price, Prices, Usage, cost


@pytest.fixture(scope="module")
def listed() -> Prices:
    return Prices.load()


@pytest.mark.parametrize(
    "name",
    [
        "gpt-5-mini",
        "openai/gpt-5-mini",
        "GPT-5-mini",
        "gpt-5-mini-2025-08-07",
        "openrouter/openai/gpt-5-mini-2025-08-07",
    ],
)
def test_provider_and_date_do_not_matter(listed: Prices, name: str) -> None:
    assert listed.of(name) == Price(input=0.25, cached_input=0.025, output=2)


@pytest.mark.parametrize(
    "name", ["claude-haiku-4-5-20251001", "anthropic/claude-haiku-4.5", "claude-haiku-4-5@20251001"]
)
def test_nor_does_how_claude_is_written(listed: Prices, name: str) -> None:
    assert listed.of(name) == Price(input=1, cached_input=0.1, output=5)


def test_a_dated_name_with_a_price_of_its_own_keeps_it(listed: Prices) -> None:
    assert listed.of("gpt-4o-2024-05-13") == Price(input=5, cached_input=5, output=15)
    assert listed.of("gpt-4o-2024-08-06") == Price(input=2.5, cached_input=1.25, output=10)


@pytest.mark.parametrize("name", ["qwen3:8b", "gpt-5-minimal", "ft:gpt-4o-mini:org", "openai/gpt-4o:extended", "", "/"])
def test_an_unknown_model_has_no_price(listed: Prices, name: str) -> None:
    assert listed.of(name) is None
    assert cost(Usage(1_000, 0, 1_000), listed.of(name)) is None


def test_every_listed_price_is_plausible(listed: Prices) -> None:
    assert listed.as_of >= date(2026, 11, 1)
    for name, price in listed.models.items():
        assert 0 < price.cached_input <= price.input <= 50, name
        assert price.output == 0 or price.output > price.input, name


def test_cost_counts_cached_input_apart() -> None:
    price = Price(input=2, cached_input=0.5, output=8)

    assert cost(Usage(input=1_000_000, cached=400_000, output=100_000), price) == pytest.approx(1.2 + 0.2 + 0.8)
    assert cost(Usage(), price) == 0


def test_usages_add_up_and_stay_estimated() -> None:
    total = Usage.total([Usage(1, 0, 2), Usage(10, 5, 20, estimated=True)])
    assert total == Usage(11, 5, 22, estimated=True)


def test_a_file_of_the_users_adds_and_overrides(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("models:\n  gpt-5-mini: {input: 1, output: 3}\n  my-own: {input: 0, output: 0}\n")

    prices = Prices.load(path)

    assert prices.of("gpt-5-mini") == Price(input=1, cached_input=1, output=3)
    assert cost(Usage(9, 0, 9), prices.of("my-own")) == 0
    assert prices.of("gpt-5") == Prices.load().of("gpt-5")


@pytest.mark.parametrize(
    "text",
    [
        "models: {x: {input: -1}}",
        "models: {x: {output: 1}}",
        "models: {x: {input: .nan}}",
        "models: {x: {input: 1, outptu: 2}}",
        "[1]",
        "models: [",
        "",
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    with pytest.raises(UsageError, match=r"mine\.yaml is no file of prices"):
        Prices.load(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mine"):
        Prices.load(tmp_path / "mine.yaml")
