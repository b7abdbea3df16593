"""What tests of the gateway share: the app on a real store, asked without a socket, and runs as clients send them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services.gateway.app import make_app
from shared.store import Store


async def nothing(event: Any = None) -> None:
    """A bus that takes all, and a check that finds all well."""


@asynccontextmanager
async def asked(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(store, nothing, nothing))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def uid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def sent(number: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """A run that begins and ends `number` seconds after midnight; its trace is that of run 0, if it has a parent."""
    at = f"2026-01-01T00:{number // 60:02}:{number % 60:02}"
    fixed = {"id": uid(number), "session_name": "shop", "name": "run", "run_type": "chain"}
    times = {"start_time": at, "end_time": at}
    below = {} if parent is None else {"parent_run_id": uid(parent), "trace_id": uid(0)}
    return {**fixed, **times, **below, **fields}


async def send(client: httpx.AsyncClient, *runs: dict[str, Any]) -> str:
    """The id of the project `shop`, which has these runs now."""
    answer = await client.post("/runs/batch", content=json.dumps({"post": runs}))
    assert answer.json()["runs"] == len(runs), answer.text
    return str((await client.get("/sessions?name=shop")).json()[0]["id"])
