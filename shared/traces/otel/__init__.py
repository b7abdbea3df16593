"""Spans of OpenTelemetry as runs, of the conventions of LangSmith, GenAI, OpenInference, OpenLLMetry and Logfire."""

from shared.traces.otel.reading import UnreadableError, of_json, of_protobuf
from shared.traces.otel.run import runs_of
from shared.traces.otel.span import Span

__all__ = ["Span", "UnreadableError", "of_json", "of_protobuf", "runs_of"]
