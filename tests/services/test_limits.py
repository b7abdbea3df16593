"""Size, time and rate of requests, and the headers of every answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from services.gateway.headers import SECURE
from services.gateway.limits import KNOWN, Limits, Rates
from shared.access import Role
from shared.store.sqlite import SqliteStore
from tests.services.test_access import client, key


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    yield opened
    await opened.close()


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def wait(rates: Rates, key: str = "k") -> str | None:
    """What Retry-After says, None where the request is let through."""
    try:
        rates.count(key)
    except HTTPException as error:
        return f"{error.status_code}: {dict(error.headers or {})['Retry-After']} s"
    return None


def test_a_key_has_so_many_requests_a_minute_and_others_do_not_feel_it() -> None:
    clock = Clock()
    rates = Rates(6, clock)
    assert [wait(rates) for _ in range(7)] == [None] * 6 + ["429: 10 s"]
    assert wait(rates, "another") is None
    clock.at = 9.0
    assert wait(rates) == "429: 1 s"
    clock.at = 10.0
    assert [wait(rates), wait(rates)] == [None, "429: 10 s"]
    clock.at = 1_000.0
    assert [wait(rates) for _ in range(7)] == [None] * 6 + ["429: 10 s"]


def test_keys_that_somebody_makes_up_take_bounded_memory() -> None:
    rates = Rates(6)
    for number in range(KNOWN + 100):
        rates.count(str(number))
    assert len(rates._buckets) == KNOWN


async def test_too_many_requests_of_one_key_are_told_when_to_come_again(store: SqliteStore) -> None:
    mine, others = await key(store, Role.READER), await key(store, Role.READER)
    async with client(store, rate=3) as gateway:
        answers = [await gateway.get("/sessions?name=x", headers=mine) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert (await gateway.get("/sessions?name=x", headers=others)).status_code == 200
        wrong = [await gateway.get("/sessions?name=x", headers={"x-api-key": str(n)}) for n in range(4)]
        assert [answer.status_code for answer in wrong] == [401, 401, 401, 429], "guesses are counted by address"


async def test_a_body_over_the_limit_is_refused_as_it_is_read(store: SqliteStore) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b" " * 1_000

    async with client(store, request_bytes=10_000) as gateway:
        answer = await gateway.post("/runs/batch", content=body())
    assert (answer.status_code, "10,000 bytes" in answer.json()["detail"]) == (413, True)
    assert sent == 11


async def test_a_request_that_takes_too_long_is_ended_and_a_stream_that_has_begun_is_not() -> None:
    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def streams(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await asyncio.sleep(0)  # the time is over at the first of them
        await send({"type": "http.response.body", "body": b"late"})

    async def asked(app: Any) -> httpx.Response:
        transport = httpx.ASGITransport(Limits(app, size=10, seconds=0.0))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as found:
            return await found.get("/")

    late = await asked(hangs)
    assert (late.status_code, "0 s" in late.json()["detail"]) == (408, True)
    assert (await asked(streams)).text == "late"


async def test_every_answer_tells_a_browser_to_run_nothing(store: SqliteStore) -> None:
    async with client(store, request_bytes=10) as gateway:
        answers = [await gateway.get(path) for path in ("/live", "/sessions?name=x", "/nowhere")]
        answers.append(await gateway.post("/sessions", content=b"x" * 20))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 413]
    for answer in answers:
        assert SECURE.items() <= {name: answer.headers.get(name) for name in SECURE}.items()


async def test_other_sites_may_ask_only_where_a_setting_names_them(store: SqliteStore) -> None:
    asking = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    async with client(store) as gateway:
        assert "access-control-allow-origin" not in (await gateway.options("/sessions", headers=asking)).headers
    async with client(store, cors_origins="https://app.example, https://b.example") as gateway:
        allowed = await gateway.options("/sessions", headers=asking)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        other = await gateway.options("/sessions", headers=asking | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        seen = await gateway.get("/sessions?name=x", headers={"Origin": "https://app.example"})
        assert (seen.status_code, seen.headers["access-control-allow-origin"]) == (200, "https://app.example")
