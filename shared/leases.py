"""A lease held while a block runs: renewed beside it, given back after it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.errors import RefusedError, UnavailableError
from shared.store import Store


@dataclass(slots=True)
class Lease:
    """`fence` grows with each owner; what is written under a smaller one does not count."""

    fence: int
    lost: bool = False


@contextlib.asynccontextmanager
async def hold(store: Store, name: str, owner: str, seconds: float) -> AsyncIterator[Lease | None]:
    """The lease `name` for `owner`, or None if another holds it. Look at `lost` before what others would see."""
    fence = await store.acquire_lease(name, owner, seconds)
    if fence is None:
        yield None
        return
    lease = Lease(fence)
    renewal = asyncio.create_task(_renew(store, name, owner, seconds, lease))
    try:
        yield lease
    finally:
        renewal.cancel()
        await asyncio.gather(renewal, return_exceptions=True)
        if not lease.lost:
            with contextlib.suppress(UnavailableError, RefusedError):  # it lapses by itself
                await store.release_lease(name, owner)


async def _renew(store: Store, name: str, owner: str, seconds: float, lease: Lease) -> None:
    while not lease.lost:
        await asyncio.sleep(seconds / 3)
        try:
            lease.lost = not await store.renew_lease(name, owner, seconds)
        except (UnavailableError, RefusedError):
            continue  # the store's clock decides: the next renewal tells
        except BaseException:
            lease.lost = True  # nobody renews it any more, so it must not be relied on
            raise
