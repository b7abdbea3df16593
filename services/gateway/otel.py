"""Traces over OTLP/HTTP, as any exporter of OpenTelemetry sends them; durable when this answers."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.routing import APIRoute
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from services.gateway.access import StoreDep, Writer
from services.gateway.intake import VALUE_BYTES, Taken, taken_in
from services.gateway.received import Received
from services.gateway.runs import keep
from shared.traces.otel import Span, UnreadableError, of_json, of_protobuf, runs_of
from shared.traces.record import NotARecordError
from shared.wording import clean

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_TAGS = (b"\x0a", b"J", b"Z", b"j", b"*", b"2")  # what a message within a span, or an attribute of it, begins with
_SPAN = b"\x12"
_SPAN_BYTES = 256  # of memory
_CODES = {401: 16, 403: 7, 404: 5, 413: 8, 429: 8, 503: 14}  # HTTP's as gRPC's
_INVALID_ARGUMENT = 3


class _Route(APIRoute):
    """Answers errors as OTLP wants them, in the encoding of the request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                code = _CODES.get(error.status_code, _INVALID_ARGUMENT)
                status = Status(code=code, message=clean(str(error.detail)))
                return _answer(request, status, error.status_code, error.headers)

        return handled


routes = APIRouter(route_class=_Route)


@routes.post("/otel/v1/traces", response_class=Response)
async def ingest_spans(request: Request, caller: Writer, store: StoreDep) -> Response:
    """Spans become runs of the project that they name, or the header Langsmith-Project, or else `default`."""
    read = _reader(request)
    async with taken_in(request) as taken:
        _weigh(taken, read is of_protobuf)
        received = await asyncio.to_thread(_received, read, taken.body, request.headers.get("Langsmith-Project"))
        await keep(request, caller, store, received)
    answer = ExportTraceServiceResponse()
    if received.refused:
        answer.partial_success.rejected_spans = received.refused
        answer.partial_success.error_message = clean("; ".join(received.reasons[:5]))
    return _answer(request, answer)


def _reader(request: Request) -> Callable[[bytes], Iterator[Span | NotARecordError]]:
    kind = _content_type(request)
    if kind not in (PROTOBUF, JSON):
        raise HTTPException(415, f"Send OTLP as {PROTOBUF} or {JSON}: Content-Type {kind[:60]!r} is neither.")
    return of_json if kind == JSON else of_protobuf


def _content_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _weigh(taken: Taken, protobuf: bool) -> None:
    """Attributes may hold JSON, of which a reader makes values too. Texts make both weigh more than they take."""
    taken.weigh(taken.body)
    if protobuf:
        taken.hold.take(VALUE_BYTES * sum(taken.body.count(tag) for tag in _TAGS))
        taken.hold.take(_SPAN_BYTES * taken.body.count(_SPAN))
    else:
        taken.weigh(taken.body)


def _received(read: Callable[[bytes], Iterator[Span | NotARecordError]], body: bytes, project: str | None) -> Received:
    received = Received()
    spans: list[Span] = []
    try:
        for one in read(body):
            spans.append(one) if isinstance(one, Span) else received.refuse(one)
    except UnreadableError as error:
        raise HTTPException(400, str(error)) from error
    received.records += runs_of(spans, project)
    return received


def _answer(request: Request, message: Message, status: int = 200, headers: Any = None) -> Response:
    """JSON to whoever sent JSON, protobuf to anyone else."""
    if _content_type(request) == JSON:
        return Response(MessageToJson(message, indent=None), status, headers, JSON)
    return Response(message.SerializeToString(), status, headers, PROTOBUF)
