"""Runs that a gateway has taken outlive it: a real process, killed at once."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from shared.bodies import unpack
from shared.models import DEFAULT_WORKSPACE
from shared.store import connect
from tests.insights.test_serve import running
from tests.services.sending import CONTENT_TYPE, of_run, part, whole


def test_what_was_answered_with_202_is_there_after_a_kill(tmp_path: Path) -> None:
    """By every way in, the last of them killed right after its answer; the next process of the folder has it all."""
    ids = [str(uuid4()) for _ in range(4)]
    with running(tmp_path) as up, httpx.Client(base_url=f"{up.url}/api", timeout=30) as client:
        sent = [
            client.post("/runs", json={"id": ids[0], "inputs": {"q": 0}}),
            client.patch(f"/runs/{ids[1]}", json={"inputs": {"q": 1}}),
            client.post("/runs/batch", content=json.dumps({"post": [{"id": ids[2], "inputs": {"q": 2}}]})),
            client.post(
                "/runs/multipart",
                content=whole([of_run(ids[3], bodies={"inputs": {"q": 3}}), part(f"attachment.{ids[3]}.a", b"file")]),
                headers={"Content-Type": CONTENT_TYPE},
            ),
        ]
        up.process.kill()
        up.process.wait()
        assert [answer.status_code for answer in sent] == [202] * 4
    with running(tmp_path):
        pass
    assert asyncio.run(_kept(f"sqlite:///{tmp_path}/insights.db", ids)) == (
        [{"q": number} for number in range(4)],
        b"file",
    )


async def _kept(url: str, ids: list[str]) -> tuple[list[Any], bytes | None]:
    store = await connect(url)
    try:
        found = await store.bodies(DEFAULT_WORKSPACE, ids, ["inputs"])
        attachment = await store.attachment(DEFAULT_WORKSPACE, ids[3], "a")
        return [unpack(found[run_id]["inputs"]) for run_id in ids], attachment.body if attachment else None
    finally:
        await store.close()
