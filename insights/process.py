"""One process: the services it runs, bound to the bus and the store that its settings name."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import services.aggregator.handlers
import services.attribute_extractor.handlers
import services.categorizer.handlers
import services.gateway.handlers
import services.summarizer.handlers
from shared import bus as buses
from shared import store as stores
from shared.addresses import Guard, same_address
from shared.asking import Asker
from shared.bus import Bus, Router, bind
from shared.clients import Clients
from shared.config import OpenAISettings, Settings, key_in
from shared.embedding.worker import Embedder
from shared.errors import UnavailableError, UsageError
from shared.frozen import FrozenJobs
from shared.llm import Endpoint, Llm, Prices
from shared.store import Store
from shared.vault import MISSING, Vault, vault_keys

log = logging.getLogger(__name__)

ROUTERS: dict[str, Router] = {
    "gateway": services.gateway.handlers.router,
    "summarizer": services.summarizer.handlers.router,
    "attribute_extractor": services.attribute_extractor.handlers.router,
    "categorizer": services.categorizer.handlers.router,
    "aggregator": services.aggregator.handlers.router,
}


@dataclass(frozen=True, slots=True)
class Process:
    """`ended` is set if something that must run for ever has ended: the process cannot do its work any more."""

    store: Store
    bus: Bus
    embedder: Embedder
    asker: Asker
    clients: Clients
    prices: Prices
    vault: Vault | None
    tasks: Sequence[asyncio.Task[None]]
    ended: asyncio.Event

    async def check(self) -> None:
        """Raise UnavailableError with a sentence where store, bus, vectors or a background task does not work."""
        if dead := [task.get_name() for task in self.tasks if task.done()]:
            raise UnavailableError(f"{', '.join(dead)} has ended (the log says why): restart this process.")
        await self.store.check()
        await self.bus.check()
        await self.embedder.check()


@contextlib.asynccontextmanager
async def running(
    names: Sequence[str],
    settings: Settings,
    folder: Path,
    *,
    grace: float = 40.0,
    more: Sequence[Router] = (),
    base_url: str | None = None,
    key_variable: str | None = None,
    vault: Vault | None = None,
) -> AsyncIterator[Process]:
    """The services `names` at work, and what `more` subscribes to. `base_url`, `key_variable`: see `endpoint`.

    Raises UnavailableError or UsageError, with what to do, where they can't start.
    """
    if settings.bus != "local" and settings.store is None:
        raise UsageError("Kafka needs a shared store beside it: set INSIGHTS_STORE=mongodb://host:port/database.")
    if settings.bus == "local" and set(names) != set(ROUTERS):
        raise UsageError("One service alone needs Kafka: set INSIGHTS_BUS=kafka://host:port, or run `insights up`.")
    async with opened_store(settings, folder) as store:
        bus = buses.connect(
            settings.bus,
            slots=settings.slots,
            path=folder / "bus.db",
            client_id=names[0] if len(names) == 1 else "insights",
            session_timeout=settings.session_timeout,
            grace=grace,
        )
        ended = asyncio.Event()
        embedder = Embedder(settings.embedding, settings.cache)
        if names:
            await embedder.verify()
        concurrency = settings.model_concurrency
        llm = Llm(endpoint(settings, base_url, key_variable), concurrency=concurrency)
        clients = Clients(store, llm, vault, Guard(settings.private_hosts), concurrency=concurrency)
        prices = Prices.load(settings.prices)
        asker = Asker(store, llm, prices, clients, patience=settings.model_patience)
        dependencies = {
            "store": store,
            "publish": bus.publish,
            "settings": settings,
            "owner": _owner(settings),
            "frozen_jobs": FrozenJobs(store),
            "embedder": embedder,
            "asker": asker,
        }
        for router in (*(ROUTERS[name] for name in names), *more):
            bus.include_router(router, dependencies)
        await bus.start()
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(bind(task, dependencies, given=0)(), name=f"{name}.{task.__name__}")
            for name in names
            for task in ROUTERS[name].tasks
        ]
        tasks.append(asyncio.create_task(_fail_with(bus), name="bus"))
        for task in tasks:
            task.add_done_callback(lambda task: _note_end(task, ended))
        try:
            yield Process(store, bus, embedder, asker, clients, prices, vault, tasks, ended)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await bus.stop()
            await embedder.stop()
            await clients.close()
            await llm.close()


def endpoint(settings: Settings, base_url: str | None = None, key_variable: str | None = None) -> Endpoint:
    """At `base_url`, else where the environment says; nothing is sent there before a job asks a model.

    The environment's key and headers go to the environment's address alone (OPENAI_BASE_URL, else OpenAI's), and to
    another what the variable `key_variable` holds, if one is named.
    """
    openai = OpenAISettings()
    headers = {name: value.get_secret_value() for name, value in settings.model_headers.items()}
    home = Endpoint(openai.base_url, openai.api_key, headers, timeout=settings.model_timeout)
    own = base_url is None or same_address(base_url, home.address)
    key = key_in(key_variable) if key_variable is not None else home.key if own else None
    return Endpoint(home.base_url if own else base_url, key, home.headers if own else {}, home.timeout)


def vault_of(settings: Settings, folder: Path) -> Vault | None:
    """With the keys of the environment; else, where this is the only process, those of a file in its data folder."""
    if settings.secrets_key is not None:
        return Vault(vault_keys(settings.secrets_key.get_secret_value()))
    if settings.bus == "local" and (settings.store or "sqlite:").startswith("sqlite:"):
        return Vault.in_folder(folder)
    log.warning(MISSING)
    return None


@contextlib.asynccontextmanager
async def opened_store(settings: Settings, folder: Path) -> AsyncIterator[Store]:
    """The store that the settings name, checked. A local one is made; a shared one by `insights store init`."""
    store = await stores.connect(settings.store or f"sqlite:///{folder}/insights.db")
    try:
        if settings.store is None or settings.store.startswith("sqlite:"):
            await store.init()
        await store.check()
        yield store
    finally:
        await store.close()


def _owner(settings: Settings) -> str:
    """Who holds a lease. In a data folder, which one process locks, a restarted process is the same owner."""
    if settings.bus == "local" and settings.store is None:
        return "local"
    return f"{socket.gethostname()}/{os.getpid()}/{uuid4()}"


async def _fail_with(bus: Bus) -> None:
    await bus.failed.wait()


def _note_end(task: asyncio.Task[None], ended: asyncio.Event) -> None:
    if task.cancelled():
        return
    log.critical("%s has ended", task.get_name(), exc_info=task.exception())
    ended.set()
