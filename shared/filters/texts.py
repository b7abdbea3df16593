"""Texts within values that hold anything, and the words that they lack."""

from collections.abc import Iterable, Iterator
from typing import Any


def texts(value: Any) -> Iterator[str]:
    """Every text inside, in no order that counts."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)


def unsaid(text: str, said: Iterable[str]) -> list[str]:
    """The words of `text` that none of the texts holds, whatever their case."""
    missing = text.casefold().split()
    for one in said:
        if not missing:
            break
        folded = one.casefold()
        missing = [word for word in missing if word not in folded]
    return missing
