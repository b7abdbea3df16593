"""LangSmith's own attributes, which its SDK's OTel mode writes, and others who trace to it."""

from typing import Any

from shared.traces.otel.messages import Body, body, structure
from shared.traces.otel.span import Span

_METADATA = "langsmith.metadata."


def inputs(span: Span) -> Body | None:
    value = span.first("gen_ai.prompt")
    return None if value is None else body(value, "input")


def outputs(span: Span) -> Body | None:
    value = span.first("gen_ai.completion")
    return None if value is None else body(value, "output")


def metadata(span: Span) -> Body:
    """The SDK writes objects and lists as JSON."""
    whole = structure(span.first("langsmith.metadata"))
    named = {name: structure(value) for name, value in span.attributes.items() if name.startswith(_METADATA)}
    told = {name.removeprefix(_METADATA): value for name, value in named.items()}
    return {**(whole if isinstance(whole, dict) else {}), **told}


def tags(span: Span) -> list[str]:
    """Also OpenInference's, which are a list."""
    told: Any = structure(span.first("langsmith.span.tags", "tag.tags"))
    listed = told.split(",") if isinstance(told, str) else told if isinstance(told, list) else []
    return [tag.strip() for tag in listed if isinstance(tag, str) and tag.strip()]
