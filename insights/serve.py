"""`insights up` and `insights serve`: services with an HTTP address for health, metrics and the gateway's API."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from insights.forecasting import Forecaster
from insights.process import Process, running, vault_of
from services.gateway.access import is_loopback
from services.gateway.app import make_app
from shared.config import Settings
from shared.errors import UsageError
from shared.health import health_routes
from shared.store import Store

log = logging.getLogger(__name__)

GRACE = 5  # seconds for requests that are open when a process is told to stop
KEEP_ALIVE = 75  # seconds: a client that sends every few of them meets no connection that is just being closed


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: `serve` decides when it ends, and what ends after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(settings: Settings) -> socket.socket:
    """The address, taken at once, so that a second process is told so before it does anything."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Said to be TCP, else asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for the client's ACK.
    server = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((settings.host, settings.port))
        server.listen()  # a second process may bind an address on which nobody listens yet
    except OSError as error:
        server.close()
        where = f"{settings.host}:{settings.port}"
        message = f"{where} cannot be served ({error.strerror}): choose another with --port, or 0 for any."
        raise UsageError(message) from error
    return server


def url_of(server: socket.socket) -> str:
    host, port = server.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(names: Sequence[str], settings: Settings, folder: Path, server: socket.socket) -> int:
    """Until a signal (exit code 0), or until something that must run has ended (1)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(names, settings, folder, vault=vault_of(settings, folder)) as process:
        if "gateway" in names:
            await _refuse_exposed(process.store, settings)
        app = _app(names, settings, process)
        http = _Server(_config(_ending(app)))
        served = asyncio.create_task(http.serve([server]))
        print(f"{', '.join(names)}: ready on {url_of(server)}", flush=True)
        waits = [asyncio.create_task(event.wait()) for event in (stop, process.ended)]
        await asyncio.wait([*waits, served], return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if "gateway" in names:
            app.state.watch.stop()
        http.should_exit = True
        await served
        return 0 if stop.is_set() else 1


def _ending(app: ASGIApp) -> ASGIApp:
    """A request that is cut off at the end is a line in the log; uvicorn would write a traceback."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            log.warning("%s was cut off: it was still open %s s after the signal to stop.", scope.get("path"), GRACE)

    return served


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        lifespan="off",
        access_log=False,  # of each request, with its query
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=KEEP_ALIVE,
    )


def _app(names: Sequence[str], settings: Settings, process: Process) -> Starlette:
    if "gateway" in names:
        return make_app(
            process.store,
            process.bus.publish,
            process.check,
            settings,
            vault=process.vault,
            prices=process.prices,
            clients=process.clients,
            forecast=Forecaster(process.store, process.prices, process.asker.place),
        )
    return Starlette(routes=health_routes(process.check))


async def _refuse_exposed(store: Store, settings: Settings) -> None:
    """UsageError where others could reach a gateway that asks nobody for a key."""
    unreached = is_loopback(settings.host) or settings.local_only
    if unreached or settings.insecure or await store.has_api_keys():
        return
    raise UsageError(
        f"Others can reach {settings.host}, and there is no API key yet: make one with "
        "`insights keys create --name NAME --role admin`, or let everybody in with --insecure."
    )
