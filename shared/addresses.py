"""Where a job may have us connect to: not to machines that only we can reach, unless a setting names them.

A name is resolved once for each connection, every address it has is looked at, and the connection goes to one that was
looked at: a name that answers otherwise the second time gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.errors import UsageError

if TYPE_CHECKING:
    import httpx2

Resolve = Callable[[str, int], Awaitable[list[str]]]
PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last four bytes


async def resolve(host: str, port: int) -> list[str]:
    """Its addresses, in the order of the system's resolver. OSError where it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # of a name that is too long to be one
        raise OSError(str(error)) from error
    return list(dict.fromkeys(str(where[4][0]) for where in found))


def is_public(address: str) -> bool:
    """Whether anybody on the Internet could connect to this IP address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    inner = _embedded(found) if isinstance(found, IPv6Address) else None
    return found.is_global and not found.is_multicast and (inner is None or is_public(str(inner)))


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def same_address(one: str, other: str) -> bool:
    """Whether two base URLs are one: whatever the case of the host, and with or without its usual port and last /."""
    try:
        return _plain(one) == _plain(other)
    except ValueError:  # one of them is no address
        return False


def _plain(address: str) -> tuple[str, str, int | None, str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", port_of(address), parts.path.rstrip("/"), parts.query


def port_of(address: str) -> int | None:
    parts = urlsplit(address)
    return parts.port or PORTS.get(parts.scheme)


class Guard:
    """Lets through what is public, and the hosts that are `allowed`."""

    def __init__(self, allowed: Collection[str] = (), lookup: Resolve = resolve) -> None:
        self._allowed = {host.lower() for host in allowed}
        self._resolve = lookup

    async def check(self, address: str) -> None:
        """Of a base URL. UsageError where it leads nowhere, or to a machine that is not for everybody."""
        host = urlsplit(address).hostname or ""
        try:
            await self.addresses(host, port_of(address) or 0)
        except OSError as error:
            raise UsageError(f"`base_url` names {host}, which has no address: is it spelt right?") from error

    async def addresses(self, host: str, port: int) -> list[str]:
        """To connect to. UsageError where one of them is not public; OSError where there are none."""
        found = await self._resolve(host, port)
        if host.lower() not in self._allowed and not all(map(is_public, found)):
            raise UsageError(
                f"`base_url` names {host}, whose address is not public: whoever runs this deployment can allow it, "
                "by INSIGHTS_PRIVATE_HOSTS."
            )
        return found

    def client(self) -> "httpx2.AsyncClient":
        """That connects to nothing else. It follows no redirect: a header that holds a key would go with it."""
        import httpx2

        from shared.guarded import GuardedTransport  # httpx2 is loaded with the first call of a model

        return httpx2.AsyncClient(transport=GuardedTransport(self), follow_redirects=False)
