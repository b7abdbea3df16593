"""Tokens and costs of a span, as LangSmith's usage_metadata."""

from typing import Any

from shared.traces.otel.messages import structure
from shared.traces.otel.span import Span

_COUNTS = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    "total_tokens": ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total"),
    "input_cost": ("llm.cost.prompt",),
    "output_cost": ("llm.cost.completion",),
    "total_cost": ("llm.cost.total", "gen_ai.usage.cost"),
}
_INPUT = {
    "cache_read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache_creation": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "audio": ("llm.token_count.prompt_details.audio",),
}
_OUTPUT = {
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    "audio": ("llm.token_count.completion_details.audio",),
}


def usage_metadata(span: Span) -> dict[str, Any]:
    """Empty where nothing is known."""
    told = structure(span.first("langsmith.usage_metadata"))
    if isinstance(told, dict):
        return told
    found: dict[str, Any] = _found(span, _COUNTS)
    details = {"input_token_details": _found(span, _INPUT), "output_token_details": _found(span, _OUTPUT)}
    return found | {name: known for name, known in details.items() if known}


def _found(span: Span, names: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {name: value for name, each in names.items() if (value := span.first(*each)) is not None}
