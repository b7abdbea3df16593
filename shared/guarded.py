"""HTTP to the machines that a guard lets through (`addresses.py`)."""

import httpx2

from shared.addresses import Guard, port_of

CONNECTIONS = httpx2.Limits(max_connections=1_000, max_keepalive_connections=100)  # as of OpenAI's own client


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Connects to the addresses that the guard looked at, under the name that they were asked by."""

    def __init__(self, guard: Guard, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        self._guard = guard
        self._inner = inner or httpx2.AsyncHTTPTransport(limits=CONNECTIONS)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        try:
            found = await self._guard.addresses(host, port_of(str(request.url)) or 0)
        except OSError as error:
            raise httpx2.ConnectError(f"{host} has no address", request=request) from error
        for address in found[:-1]:
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except httpx2.ConnectError:
                continue
        return await self._inner.handle_async_request(_pinned(request, found[-1]))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _pinned(request: httpx2.Request, address: str) -> httpx2.Request:
    """The request to one address; its Host header and the name in the certificate stay those of the URL."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
