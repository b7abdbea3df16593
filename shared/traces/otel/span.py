"""One span of OpenTelemetry in plain values, whichever encoding it came in."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from shared.traces.parsing import parse
from shared.traces.record import NotARecordError

SDK = "langsmith"  # the tracer that LangSmith's SDK makes spans of its runs with


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is in µs since 1970."""

    name: str
    time: int | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Ids are 16 and 8 bytes; times are in µs since 1970. `failed` is None where the status is unset."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    name: str
    start: int | None
    end: int | None
    failed: bool | None
    message: str
    attributes: Mapping[str, Any]
    events: tuple[Event, ...]
    resource: Mapping[str, Any]
    scope: str

    def text(self, *names: str) -> str | None:
        """The first of these attributes that is text and not empty."""
        return next((found for name in names if isinstance(found := self.attributes.get(name), str) and found), None)

    def first(self, *names: str) -> Any:
        """The first of these attributes that there is."""
        return next((found for name in names if (found := self.attributes.get(name)) is not None), None)


def span_of(told: trace_pb2.Span, resource: Mapping[str, Any], scope: str) -> Span:
    """Raises NotARecordError without ids."""
    if not _is_id(told.trace_id, 16) or not _is_id(told.span_id, 8):
        raise NotARecordError("a span needs a trace id of 16 bytes and a span id of 8, not all of them zero")
    code = told.status.code
    return Span(
        trace_id=told.trace_id,
        span_id=told.span_id,
        parent_id=told.parent_span_id if _is_id(told.parent_span_id, 8) else None,
        name=told.name,
        start=_micros(told.start_time_unix_nano),
        end=_micros(told.end_time_unix_nano),
        failed=None if code == trace_pb2.Status.STATUS_CODE_UNSET else code == trace_pb2.Status.STATUS_CODE_ERROR,
        message=told.status.message,
        attributes=attributes_of(told.attributes),
        events=tuple(map(_event, told.events)),
        resource=resource,
        scope=scope,
    )


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """The last of each name; those without a value are left out."""
    return {pair.key: value for pair in pairs if (value := _value(pair.value)) is not None}


def read_json(value: Any) -> Any:
    """What an attribute holds: where it is text, the JSON that is written in it, or else the text."""
    if not isinstance(value, str):
        return value
    try:
        return parse(value.encode("utf-8", "surrogatepass"))
    except NotARecordError:
        return value


def _event(told: trace_pb2.Span.Event) -> Event:
    return Event(told.name, _micros(told.time_unix_nano), attributes_of(told.attributes))


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind in ("string_value", "bool_value", "int_value", "double_value") else None


def _is_id(value: bytes, length: int) -> bool:
    return len(value) == length and any(value)


def _micros(nanoseconds: int) -> int | None:
    return nanoseconds // 1_000 or None
