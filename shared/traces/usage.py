"""Tokens and costs of a run, from the first place that has any. What no place has is None, never 0."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from shared.llm.prices import Price, Prices
from shared.llm.usage import Usage as CallUsage
from shared.llm.usage import cost
from shared.models import Run
from shared.wording import clean

Three = tuple[float | None, float | None, float | None]
_LARGEST = 2**53
_TOKENS = (
    ("prompt_tokens", "input_tokens", "promptTokens"),
    ("completion_tokens", "output_tokens", "completionTokens"),
    ("total_tokens", "totalTokens"),
)
_COSTS = (("prompt_cost", "input_cost"), ("completion_cost", "output_cost"), ("total_cost",))


_DETAILS = {
    "prompt_token_details": ("prompt_token_details", "input_token_details"),
    "completion_token_details": ("completion_token_details", "output_token_details"),
    "prompt_cost_details": ("prompt_cost_details", "input_cost_details"),
    "completion_cost_details": ("completion_cost_details", "output_cost_details"),
}
_NAMES = ("prompt_tokens", "completion_tokens", "total_tokens")
_COST_NAMES = ("prompt_cost", "completion_cost", "total_cost")
_DETAILED = frozenset(chain(*_DETAILS.values()))
_ALL = frozenset(chain(*_TOKENS, *_COSTS, *_DETAILS.values()))
_NAME_LENGTH = 200
_KINDS = 50  # of tokens that one run may tell apart
_PRICED = ("llm", "embedding")  # a chain repeats what its calls used


def usage(fields: Mapping[str, Any], stored: Run | None = None, prices: Prices | None = None) -> dict[str, Any]:
    """Tokens, costs in dollars and their details, as fields of Run, of the fields of a record.

    What the fields lack is as in `stored`. Costs that nobody sent are the model's list price, where that is known.
    """
    places = [place for place in _places(fields) if not _ALL.isdisjoint(place)]
    if not places and stored is None:
        return {}
    found: dict[str, Any] = dict(zip(_NAMES, map(_count, _found(places, _TOKENS)), strict=True))
    found |= zip(_COST_NAMES, _found(places, _COSTS), strict=True)
    detailed = [place for place in places if not _DETAILED.isdisjoint(place)]
    found |= {name: _details(detailed, names) for name, names in _DETAILS.items()}
    if stored is not None:
        found |= _known(found, stored, again=prices is not None)
    if prices is not None and all(found[name] is None for name in _COST_NAMES):
        found |= _priced(fields, found, prices)
    return found


def _known(found: Mapping[str, Any], stored: Run, *, again: bool) -> dict[str, Any]:
    """What is stored of all that is not found. List prices are left out where they can be worked out `again`."""
    missing = [name for name, value in found.items() if value is None or value == {}]
    if not stored.priced:
        return {name: getattr(stored, name) for name in missing}
    if again or any(found[name] is not None for name in _COST_NAMES):
        return {name: getattr(stored, name) for name in missing if name not in _COST_NAMES}
    return {"priced": True, **{name: getattr(stored, name) for name in missing}}


def _priced(fields: Mapping[str, Any], found: Mapping[str, Any], prices: Prices) -> dict[str, Any]:
    prompt, completion = found["prompt_tokens"], found["completion_tokens"]
    if fields.get("run_type") not in _PRICED or prompt is None or (price := _price(fields, prices)) is None:
        return {}
    cached = min(prompt, round(found["prompt_token_details"].get("cache_read", 0)))
    prompt_cost = cost(CallUsage(input=prompt, cached=cached), price) or 0.0
    completion_cost = cost(CallUsage(output=completion or 0), price) or 0.0
    costs = dict(zip(_COST_NAMES, (prompt_cost, completion_cost, prompt_cost + completion_cost), strict=True))
    return {**costs, "priced": True}


def _price(fields: Mapping[str, Any], prices: Prices) -> Price | None:
    """That of the model which metadata name, as LangSmith's clients do, or the parameters of LangChain's call."""
    extra = fields.get("extra")
    parameters = _in(extra, "invocation_params")
    names = (_in(extra, "metadata").get("ls_model_name"), parameters.get("model"), parameters.get("model_name"))
    name = next((name for name in names if isinstance(name, str) and name), None)
    return prices.of(name[:_NAME_LENGTH]) if name else None


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


def _details(places: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> dict[str, float]:
    """Of the first place that has one of these names with numbers in it."""
    for place in places:
        for name in names:
            inner = islice(_in(place, name).items(), _KINDS)
            if found := {clean(key): known for key, value in inner if (known := number(value)) is not None}:
                return found
    return {}


def _places(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    outputs = fields.get("outputs")
    metadata = _in(fields.get("extra"), "metadata")
    answer = _in(outputs, "llm_output")
    return chain(
        (fields, _in(outputs, "usage_metadata"), _in(metadata, "usage_metadata")),
        (_in(answer, "token_usage"), _in(answer, "usage"), _in(outputs, "usage"), _in(metadata, "usage")),
        (_summed(outputs), metadata),
    )


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
