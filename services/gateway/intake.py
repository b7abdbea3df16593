"""Bodies that hold runs: decoded, bounded one by one and all together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import HTTPException, Request

from services.gateway.bodies import RUNS_BYTES
from services.gateway.encodings import DECODERS, EncodingError
from services.gateway.room import Hold, Room


@contextlib.asynccontextmanager
async def taken_in(request: Request) -> AsyncIterator[bytes]:
    """The body as it was before its Content-Encoding. It counts as held until the block ends.

    HTTPException 413, 415, 422, or 429 where this process holds too much.
    """
    room: Room = request.app.state.room
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in DECODERS and encoding != "identity":
        raise HTTPException(415, f"Content-Encoding {encoding[:40]!r} is not known: send gzip, zstd or none.")
    with room.hold() as hold:
        body = await _read(request, hold)
        yield body if encoding == "identity" else await asyncio.to_thread(_decode, body, encoding, hold)


async def _read(request: Request, hold: Hold) -> bytes:
    body = bytearray()
    refused: HTTPException | None = None
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > 2 * RUNS_BYTES:
            break
        if refused is None:
            refused = _take(len(body) + len(chunk), len(chunk), hold)
        if refused is None:
            body += chunk
        else:  # a client that is cut off while it sends never reads the answer
            body.clear()
    if refused is not None:
        raise refused
    return bytes(body)


def _take(size: int, more: int, hold: Hold) -> HTTPException | None:
    try:
        _check(size)
        hold.take(more)
    except HTTPException as refused:
        return refused
    return None


def _decode(body: bytes, encoding: str, hold: Hold) -> bytes:
    decoded = bytearray()
    try:
        for piece in DECODERS[encoding](body):
            _check(len(decoded) + len(piece))
            hold.take(len(piece))
            decoded += piece
    except EncodingError as error:
        raise HTTPException(422, f"The body is not {encoding}: {error}.") from error
    return bytes(decoded)


def _check(size: int) -> None:
    if size > RUNS_BYTES:
        raise HTTPException(413, f"The body is over {RUNS_BYTES:,} bytes: send it in parts.")
