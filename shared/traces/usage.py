"""Tokens and costs of a run, from the first place that has any. What no place has is None, never 0."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Three = tuple[float | None, float | None, float | None]
_LARGEST = 2**53
_TOKENS = (
    ("prompt_tokens", "input_tokens", "promptTokens"),
    ("completion_tokens", "output_tokens", "completionTokens"),
    ("total_tokens", "totalTokens"),
)
_COSTS = (("prompt_cost", "input_cost"), ("completion_cost", "output_cost"), ("total_cost",))


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of tokens, and dollars. A total that no place has is the sum of its parts, where both are known."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    prompt_cost: float | None
    completion_cost: float | None
    total_cost: float | None


def usage(fields: Mapping[str, Any]) -> Usage:
    """Of the fields of a run, as in RawRun."""
    places = [place for place in _places(fields) if place]
    tokens = _found(places, _TOKENS)
    costs = _found(places, _COSTS)
    return Usage(_count(tokens[0]), _count(tokens[1]), _count(tokens[2]), *costs)


def number(value: object) -> float | None:
    """A finite number, or text of one, as LangSmith exports costs; True is none."""
    if isinstance(value, str) and len(value) < 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= _LARGEST else None  # NaN compares as False


def _found(places: Sequence[Mapping[str, Any]], names: tuple[tuple[str, ...], ...]) -> Three:
    """Prompt, completion and total, of the first place that has one of them."""
    for place in places:
        prompt, completion, total = (_first(place, each) for each in names)
        if total is None and prompt is not None and completion is not None:
            total = prompt + completion
        if prompt is not None or completion is not None or total is not None:
            return prompt, completion, total
    return None, None, None


def _places(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    outputs = fields.get("outputs")
    extra = fields.get("extra")
    metadata = _in(extra, "metadata")
    yield fields
    yield _in(outputs, "usage_metadata")
    yield _in(metadata, "usage_metadata")
    yield _in(_in(outputs, "llm_output"), "token_usage")
    yield _in(_in(outputs, "llm_output"), "usage")
    yield _in(outputs, "usage")
    yield _in(metadata, "usage")
    yield _summed(outputs)
    yield metadata


def _in(value: object, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _summed(outputs: object) -> Mapping[str, Any]:
    """The sums over `generations[][].message.usage_metadata`, of what LangChain's models return."""
    sums: dict[str, float] = {}
    for generation in _generations(outputs):
        message = _in(generation, "message")
        found = _in(_in(message, "kwargs"), "usage_metadata") or _in(message, "usage_metadata")
        for key, value in found.items():
            if (one := number(value)) is not None:
                sums[key] = sums.get(key, 0) + one
    return sums


def _generations(outputs: object) -> Iterator[object]:
    rows = outputs.get("generations") if isinstance(outputs, dict) else None
    for row in rows if isinstance(rows, list) else ():
        yield from row if isinstance(row, list) else (row,)


def _first(place: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    for name in names:
        if name in place and (found := number(place[name])) is not None and found >= 0:
            return found
    return None


def _count(value: float | None) -> int | None:
    return int(value) if value is not None and value == int(value) else None
