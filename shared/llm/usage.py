"""What calls took: tokens as the endpoint reports them, or estimated and marked so; and what that costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from shared.llm.prices import Price

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call or of several. `cached` is the part of `input` that the endpoint had read before.

    `cut`: calls whose answer did not come, so that nobody knows what they took; there is nothing else in it then.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    estimated: bool = False
    cut: int = 0

    def __add__(self, other: Self) -> "Usage":
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.estimated or other.estimated,
            self.cut + other.cut,
        )

    @classmethod
    def total(cls, usages: Iterable["Usage"]) -> "Usage":
        return sum(usages, start=cls())


def cost(usage: Usage, price: Price | None) -> float | None:
    """US dollars; None where the price is unknown, which is not nothing."""
    if price is None:
        return None
    fresh = usage.input - usage.cached
    return (fresh * price.input + usage.cached * price.cached_input + usage.output * price.output) / MILLION
