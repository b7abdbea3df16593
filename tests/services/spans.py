"""Bodies of OTLP, as exporters make them."""

import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1 import trace_pb2

from shared.traces.otel import Span
from shared.traces.otel.span import span_of

TRACE = "5b8efff798038103d269b633813fc60c"
START = 1_767_225_600_000_000_000  # 2026-01-01, in ns


def span_id(number: int) -> str:
    return f"eee19b7ec3c1b{number:03x}"


def told(number: int, parent: int | None = None, attributes: Any = None, **fields: Any) -> dict[str, Any]:
    """As JSON: a span that begins `number` seconds after midnight and lasts two."""
    around = {} if parent is None else {"parentSpanId": span_id(parent)}
    begin = START + number * 10**9
    times = {"startTimeUnixNano": str(begin), "endTimeUnixNano": str(begin + 2 * 10**9)}
    ids = {"traceId": TRACE, "spanId": span_id(number), **around}
    return {**ids, "name": f"span {number}", **times, "attributes": listed(attributes or {}), **fields}


def listed(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value_of(value)} for name, value in attributes.items()]


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": str(START), "attributes": listed(attributes)}


def request(*spans: Any, scope: str = "app", **resource: Any) -> dict[str, Any]:
    scoped = {"scope": {"name": scope}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": listed(resource)}, "scopeSpans": [scoped]}]}


def span(fields: dict[str, Any], scope: str = "app", **resource: Any) -> Span:
    """The same as what is read of a body."""
    body = {name: value for name, value in fields.items() if not name.endswith("Id")}
    message = ParseDict(body, trace_pb2.Span())
    message.trace_id, message.span_id = bytes.fromhex(fields["traceId"]), bytes.fromhex(fields["spanId"])
    message.parent_span_id = bytes.fromhex(fields.get("parentSpanId", ""))
    return span_of(message, resource, scope)


def value_of(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [value_of(one) for one in value]}}
        case dict():
            return {"stringValue": json.dumps(value)}
        case _:
            return {"stringValue": value}
