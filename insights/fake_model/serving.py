"""The endpoint on an address: in a process of its own by `serve`, or beside a test by `running`."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from insights.fake_model.app import FakeModel, make_app
from shared.errors import UsageError

GRACE = 1  # seconds for answers that are due when it is told to stop

KEEP_ALIVE = 75  # seconds: a client that reuses a connection just as it is closed would see an error that is none


def listening(host: str, port: int) -> socket.socket:
    """UsageError if the address is taken. Port 0: any free one."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2_048
        )
    except OSError as error:
        message = f"{host}:{port} cannot be served ({error.strerror}): choose another with --port, or 0 for any."
        raise UsageError(message) from error


def url_of(server: socket.socket) -> str:
    host, port = server.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(model: FakeModel, server: socket.socket) -> None:
    """Until a signal."""
    uvicorn.Server(_config(model)).run([server])


@contextlib.asynccontextmanager
async def running(model: FakeModel, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Its URL, without a path. In this event loop."""
    with listening(host, 0) as server:
        http = _Beside(_config(model))
        served = asyncio.create_task(http.serve([server]))
        try:
            yield url_of(server)
        finally:
            http.should_exit = True
            await served


class _Beside(uvicorn.Server):
    """Leaves the signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _is_no_cut(record: logging.LogRecord) -> bool:
    """uvicorn calls a connection that is cut on purpose an error of the application."""
    return "without completing response" not in record.msg


def _config(model: FakeModel) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
    return uvicorn.Config(
        make_app(model),
        log_config=None,
        lifespan="off",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
