"""Arize's OpenInference."""

from typing import Any

from shared.traces.otel.flat import below
from shared.traces.otel.messages import Body, body, conversation, of_flat, structure
from shared.traces.otel.span import Span


def inputs(span: Span) -> Body | None:
    found = conversation(of_flat(below(span.attributes, "llm.input_messages")))
    return found or _value(span, "input")


def outputs(span: Span) -> Body | None:
    found = conversation(of_flat(below(span.attributes, "llm.output_messages")))
    return found or _documents(below(span.attributes, "retrieval.documents")) or _value(span, "output")


def metadata(span: Span) -> Body:
    told = structure(span.first("metadata"))
    return told if isinstance(told, dict) else {}


def tools(span: Span) -> list[Any]:
    """Schemas of the tools that a model was offered."""
    listed = below(span.attributes, "llm.tools")
    held = (one.get("tool") for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()
    return [structure(tool.get("json_schema")) for tool in held if isinstance(tool, dict)]


def _value(span: Span, name: Any) -> Body | None:
    """Text is not read as JSON where it says that it is text."""
    value = span.first(f"{name}.value")
    if value is None:
        return None
    return {name: value} if span.first(f"{name}.mime_type") == "text/plain" else body(value, name)


def _documents(listed: Any) -> Body | None:
    """As LangChain's retrievers return them."""
    held = [one.get("document") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    found = [_document(one) for one in held if isinstance(one, dict)]
    return {"documents": found} if found else None


def _document(told: Body) -> Body:
    about = structure(told.get("metadata"))
    more = {name: told[name] for name in ("id", "score") if name in told}
    about = {**(about if isinstance(about, dict) else {}), **more}
    return {"page_content": told.get("content"), "metadata": about, "type": "Document"}
