"""Over a real socket: what a server that breaks off, trickles or is not there looks like to the client."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from shared.errors import ModelAwayError
from shared.llm import Endpoint, Llm
from tests.servers.process import free_port
from tests.shared.llm.conftest import Waits, question

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n"


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A server that reads a request's head, then does as it likes. Gives its base URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await serve(writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def failing(url: str, timeout: float = 5.0) -> str:
    """The sentence of the ModelAwayError that a question to it ends in."""
    waits = Waits()
    llm = Llm(Endpoint(url, timeout=timeout), attempts=2, sleep=waits, clock=waits.clock)
    try:
        with pytest.raises(ModelAwayError) as caught:
            await llm.ask(question())
    finally:
        await llm.close()
    return str(caught.value)


async def test_nobody_listens() -> None:
    assert "cannot be reached (is it running" in await failing(f"http://127.0.0.1:{free_port()}/v1")


async def test_nothing_of_the_environment_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's client reads these by itself, and would send them to any address."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Planted: planted-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "planted-org")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "planted-project")
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        await failing(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    assert heads
    assert not any(b"planted" in head.lower() for head in heads)


async def test_the_connection_is_cut_before_a_word() -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with serving(cut) as url:
        assert "cut the connection" in await failing(url)


async def test_the_connection_is_cut_within_the_answer() -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b'{"choices": [')
        await writer.drain()

    async with serving(half) as url:
        assert "cut the connection" in await failing(url)


async def test_a_trickle_that_never_stops_is_over_in_time() -> None:
    """Each byte comes within the limit of a read; only the limit of the whole ends it."""

    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while not writer.transport.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(trickle) as url:
        assert "did not answer within 0.1 s" in await failing(url, timeout=0.1)


def test_a_process_that_asks_no_model_does_not_load_openais_client() -> None:
    program = "import sys, insights.process; from shared.llm import Endpoint, Llm; Llm(Endpoint()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "shared.llm.transport" in done.stdout.split()
    assert not {"openai", "httpx2"} & set(done.stdout.split())
