"""A way to the stand-in endpoint for tests of services, and one that leads nowhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from insights.fake_model.options import Options
from shared.asking import Asker
from shared.llm import Endpoint, Llm, Prices
from shared.store import Store
from tests.servers.fake_model import Endpoint as Server
from tests.servers.fake_model import endpoint


class NoLlm(Llm):
    """For what must not ask: whatever is done with it fails the test."""

    def __init__(self) -> None: ...


def no_asker(store: Store) -> Asker:
    return Asker(store, NoLlm(), Prices.load())


@dataclass(frozen=True)
class World:
    """The stand-in, and an asker of it."""

    asker: Asker
    server: Server

    @property
    def calls(self) -> int:
        return int(self.server.stats()["calls"])


@asynccontextmanager
async def asking(store: Store, options: Options | None = None) -> AsyncIterator[World]:
    async with endpoint(options) as server:
        llm = Llm(Endpoint(server.base_url))
        try:
            yield World(Asker(store, llm, Prices.load()), server)
        finally:
            await llm.close()
