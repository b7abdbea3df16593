"""Bodies of OTLP/HTTP: protobuf, or JSON, in which ids are hex digits."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from shared.errors import InsightsError
from shared.traces.otel.span import Span, attributes_of, span_of
from shared.traces.parsing import parse
from shared.traces.record import NotARecordError
from shared.wording import clean

_IDS = {"traceId": "traceId", "trace_id": "traceId", "spanId": "spanId", "span_id": "spanId"}
_IDS |= {"parentSpanId": "parentSpanId", "parent_span_id": "parentSpanId"}
_LONGEST = 200  # characters of a reason
_DEEPEST = 120  # levels of JSON within a span
_MESSAGES = 40  # levels of messages: each is up to three of JSON

_M = TypeVar("_M", bound=Message)


class UnreadableError(InsightsError):
    """The whole body is no ExportTraceServiceRequest."""


def of_protobuf(body: bytes) -> Iterator[Span | NotARecordError]:
    """Each span, or why it is none. Raises UnreadableError."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise UnreadableError("The body is no ExportTraceServiceRequest in protobuf.") from error
    for group in request.resource_spans:
        resource = attributes_of(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield _read(span, resource, scoped.scope.name)


def of_json(body: bytes) -> Iterator[Span | NotARecordError]:
    """Each span, or why it is none. Raises UnreadableError."""
    try:
        request = parse(body)
    except NotARecordError as error:
        raise UnreadableError(f"The body is not JSON: {error}.") from error
    for group in _listed(request, "resourceSpans", "resource_spans"):
        resource = _resource(group)
        for scoped in _listed(group, "scopeSpans", "scope_spans"):
            scope = scoped.get("scope")
            name = scope.get("name") if isinstance(scope, dict) else None
            for span in _listed(scoped, "spans"):
                yield _read(span, resource, name if isinstance(name, str) else "")


def _read(told: trace_pb2.Span | dict[str, Any], resource: Mapping[str, Any], scope: str) -> Span | NotARecordError:
    try:
        return span_of(_message(told) if isinstance(told, dict) else told, resource, scope)
    except NotARecordError as error:
        return error


def _listed(value: Any, *names: str) -> list[dict[str, Any]]:
    """The objects of a list within an object; both may be absent."""
    held = value if isinstance(value, dict) else {names[0]: "of nothing"}
    listed: Any = next((held[name] for name in names if held.get(name) is not None), [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise UnreadableError(f"Expected an ExportTraceServiceRequest: {names[0]} is a list of objects.")
    return listed


def _resource(group: dict[str, Any]) -> dict[str, Any]:
    told = group.get("resource")
    try:
        read = _parsed(told if isinstance(told, dict) else {}, Resource())
    except NotARecordError as error:
        raise UnreadableError(f"A resource cannot be read: {error}.") from error
    return attributes_of(read.attributes)


def _message(span: dict[str, Any]) -> trace_pb2.Span:
    fields = {_IDS.get(name, name): value for name, value in span.items() if name != "links"}
    for name in set(_IDS.values()) & set(fields):
        try:
            fields[name] = b64encode(bytes.fromhex(fields[name] or "")).decode()
        except (TypeError, ValueError) as error:
            raise NotARecordError(f"the {name} of a span is text of hex digits") from error
    return _parsed(fields, trace_pb2.Span())


def _parsed(fields: Any, message: _M) -> _M:
    try:
        ParseDict(_told(fields, _DEEPEST), message, ignore_unknown_fields=True, max_recursion_depth=_MESSAGES)
    except (ParseError, OverflowError) as error:
        raise NotARecordError(clean(str(error))[:_LONGEST]) from error
    return message


def _told(value: Any, depth: int) -> Any:
    """Without lone surrogates, which a client that cuts texts leaves behind and protobuf does not take."""
    if depth == 0:
        raise NotARecordError("nested too deep")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_told(one, depth - 1) for one in value]
    return {clean(key): _told(one, depth - 1) for key, one in value.items()} if isinstance(value, dict) else value
