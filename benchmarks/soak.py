"""Many clients at once, for a while, against a real server: nothing is lost, nothing fails, memory stays flat.

Each of them posts one body after the other, as LangSmith's client made them, with new ids each time; it comes again as
told where the server is full.
"""

import asyncio
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import psutil

from benchmarks.figure import Figure
from benchmarks.ingest import short_bodies
from tests.clients.up import running

CLIENTS = 64
SECONDS, FULL_SECONDS = 10.0, 60.0
FLAT = 1.1  # the most that the second half's greatest memory may be of the second quarter's
_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_RUN = re.compile(rb'name="post\.[^".]*"')


@dataclass
class Soak:
    url: str
    server: "subprocess.Popen[str]"
    bodies: list[bytes]
    content_type: str
    ends: float
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    cut: int = 0  # connections
    taken: int = 0  # runs that were answered with 202
    numbers: Iterator[int] = field(default_factory=count)

    async def measure(self) -> int:
        """How many runs the server has in the end."""
        async with httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=CLIENTS + 1)) as client:
            await asyncio.gather(self._watch(), *(self._post(client) for _ in range(CLIENTS)))
            [project] = (await client.get(f"{self.url}/sessions", params={"name": "bench"})).json()
            stats = (await client.post(f"{self.url}/runs/stats", json={"session": [project["id"]]})).json()
        return int(stats["run_count"])

    async def _post(self, client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": self.content_type}
        while time.monotonic() < self.ends:
            number = next(self.numbers)
            body = _ID.sub(b"%08x\\1" % number, self.bodies[number % len(self.bodies)])
            begun = time.monotonic()
            try:
                answer = await client.post(f"{self.url}/runs/multipart", content=body, headers=headers)
            except httpx.TransportError:
                self.cut += 1
                continue
            self.seconds.append(time.monotonic() - begun)
            self.statuses[answer.status_code] += 1
            if answer.status_code == 202:
                self.taken += len(_RUN.findall(body))
            elif answer.status_code == 429:
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def _watch(self) -> None:
        server = psutil.Process(self.server.pid)
        while time.monotonic() < self.ends:
            self.memory.append(server.memory_info().rss)
            await asyncio.sleep(0.2)


def figures(full: bool) -> Iterator[Figure]:
    seconds = FULL_SECONDS if full else SECONDS
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
        content_type, bodies = short_bodies(Path(folder))
        with running(Path(folder)) as (url, server):
            soak = Soak(url, server, bodies, content_type, time.monotonic() + seconds)
            kept = asyncio.run(soak.measure())
    half = len(soak.memory) // 2
    flat = max(soak.memory[half:]) / max(soak.memory[half // 2 : half])
    failed = soak.cut + sum(times for status, times in soak.statuses.items() if status not in (202, 429))
    yield Figure("runs that were answered with 202 and are not there", soak.taken - kept, 0, at_most=True)
    yield Figure("answers that are neither 202 nor 429, and those cut off", failed, 0, at_most=True)
    yield Figure("greatest memory late, as a share of earlier", flat, FLAT if full else None, at_most=True)
    yield Figure("greatest memory", max(soak.memory) / 1e6, unit="MB")
    yield Figure(f"taken in from {CLIENTS} clients", soak.taken / seconds, unit="runs/s")
    yield Figure("full: come again", soak.statuses[429], unit="answers")
    yield Figure("99 % of answers within", sorted(soak.seconds)[int(len(soak.seconds) * 0.99)], unit="s")
