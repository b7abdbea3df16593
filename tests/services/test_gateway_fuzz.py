"""Whatever a client sends to the Insights calls, it is answered and never by a 5xx."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.job_body import OURS, THEIRS
from tests.services.gateway_world import World, opened

TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(["eq(", "{{#a}}", "\x00", "{{run.inputs}}", "all"])
NUMBERS = st.integers(-(10**30), 10**30) | st.floats() | st.sampled_from([0, 1, 2, 10**400])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted(OURS | THEIRS | {"name", "config", "description", "schedule_cron"}))
BODIES = st.dictionaries(FIELDS, VALUES, max_size=5) | VALUES
CALLS = (
    ("POST", "insights"), ("POST", "insights/estimate"), ("POST", "insights/preview"), ("POST", "insights/configs"),
    ("POST", "insights/configs/generate"), ("PATCH", "insights/JOB"), ("PATCH", "insights/configs/CONFIG"),
)  # fmt: skip


class _Loop:
    """One world for all examples: each would otherwise open a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._opened = opened(folder)
        self.world: World = self._runner.run(self._opened.__aenter__())
        self.at = self._runner.run(self.world.project())
        self._runner.run(self.world.traces(self.at, 3))
        self.places = {
            "JOB": str(self.send("POST", "insights", b"{}").json()["id"]),
            "CONFIG": str(self.send("POST", "insights/configs", b'{"name": "c"}').json()["id"]),
        }

    def send(self, method: str, path: str, body: bytes) -> httpx.Response:
        return self._runner.run(self.world.client.request(method, f"{self.at}/{path}", content=body))

    def close(self) -> None:
        self._runner.run(self._opened.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def loop() -> Iterator[_Loop]:
    with tempfile.TemporaryDirectory() as folder:
        found = _Loop(Path(folder))
        yield found
        found.close()


@pytest.mark.parametrize(("method", "path"), CALLS, ids=[path for _, path in CALLS])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES)
def test_any_body_is_answered(loop: _Loop, method: str, path: str, body: Any) -> None:
    for name, one in loop.places.items():
        path = path.replace(name, one)
    answer = loop.send(method, path, json.dumps(body).encode())
    assert answer.status_code < 500
    json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
