"""Bodies of requests: bounded in size, read with Python's JSON."""

import asyncio
from typing import Annotated, Any

from fastapi import HTTPException, Request
from pydantic import BeforeValidator, WithJsonSchema

from shared.traces.parsing import parse
from shared.traces.record import NotARecordError
from shared.traces.times import micros


def _micros(value: Any) -> int:
    time = micros(value)
    if time is None:
        raise ValueError("a time is written like 2026-01-31T12:00:00Z")
    return time


When = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Time = Annotated[  # microseconds since 1970; without a zone it is UTC
    int, BeforeValidator(_micros), WithJsonSchema({"type": "string", "format": "date-time"})
]

RUNS_BYTES = 64 * 1024 * 1024
SMALL_BYTES = 1024 * 1024


async def read_json(request: Request, limit: int = SMALL_BYTES) -> Any:
    """The body, with what clients send: NaN, lone surrogates, big integers. HTTPException 413 or 422."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413, f"The body is over {limit:,} bytes: send it in parts.")
    return await parsed(bytes(body))


async def parsed(body: bytes) -> Any:
    """JSON, read in a thread; none is an object without fields. HTTPException 422."""
    try:
        return await asyncio.to_thread(parse, body or b"{}")
    except NotARecordError as error:
        raise HTTPException(422, f"The body is not JSON: {error}") from error
