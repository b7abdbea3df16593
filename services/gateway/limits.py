"""What no request may pass: the size of its body, its time, and how often its key may ask."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from fastapi import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KNOWN = 10_000  # keys and addresses that are counted at once


class Rates:
    """A token bucket for each key: `a_minute` requests at once, and as many again in each minute.

    Each process counts for itself.
    """

    def __init__(self, a_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._full, self._clock = float(a_minute), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was

    def count(self, key: str) -> None:
        """One request. HTTPException 429 where the bucket is empty."""
        at = self._clock()
        left, since = self._buckets.pop(key, (self._full, at))
        left = min(self._full, left + (at - since) * self._full / 60)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, at)
        if len(self._buckets) > KNOWN:
            self._buckets.popitem(last=False)  # who asked least lately
        if not allowed:
            wait = math.ceil((1 - left) * 60 / self._full)
            detail = f"More than {self._full:,.0f} requests a minute: wait {wait} s, or send more in each."
            raise HTTPException(429, detail, {"Retry-After": str(wait)})


class Limits:
    """ASGI middleware. A body over `size` bytes is 413, as it is read; what has not begun its answer in time is 408."""

    def __init__(self, app: ASGIApp, *, size: int, seconds: float) -> None:
        self._app, self._size, self._seconds = app, size, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds) as limit:

                async def sent(message: Message) -> None:
                    limit.reschedule(None)  # a stream may take as long as it likes
                    await send(message)

                await self._app(scope, _bounded(receive, self._size), sent)
        except TimeoutError:
            if not limit.expired():
                raise
            detail = f"This took longer than {self._seconds:g} s: send less at once, or ask for less."
            await JSONResponse({"detail": detail}, 408)(scope, receive, send)


def _bounded(receive: Receive, size: int) -> Receive:
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > size:
            raise HTTPException(413, f"The body is over {size:,} bytes: send it in parts.")
        return message

    return bounded
