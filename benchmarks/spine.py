"""What bus and store cost a trace, what memory a large file needs, and whether time grows with size alone.

For N and N/10 short traces through `analyze`, without vectors, which have a bench of their own.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.memory import run
from insights.analyze import find_or_submit
from insights.demo import generate
from insights.process import ROUTERS, running
from insights.progress import Progress
from insights.report_json import write_report
from insights.source import load, opened
from services.summarizer import local
from shared.config import Settings
from shared.context import load as load_items
from shared.ending import UNFINISHED
from shared.frozen import FrozenJobs
from shared.job_config import JobConfig
from shared.models import JobState

STAGES = 4  # release, summarise, extract, check: an event each
LIMIT_MS, LIMIT_GB, LIMIT_TIMES = 1.0, 1.5, 11.0
ENGINE_SAMPLE = 500


def figures(full: bool) -> Iterator[Figure]:
    traces = 100_000 if full else 10_000
    few, many = [_measured(n) for n in (traces // 10, traces)]
    cost = (many["items"] - many["engine"]) / traces / STAGES * 1_000
    times = many["seconds"] / few["seconds"]
    yield Figure(f"bus and store, {traces:,} traces, a trace and stage", cost, LIMIT_MS, at_most=True, unit="ms")
    yield Figure("memory of the process tree", many["memory"] / 1e9, LIMIT_GB, at_most=True, unit="GB")
    yield Figure("times as long as a tenth of the traces", times, LIMIT_TIMES, at_most=True)
    for name in ("read", "prepare", "items", "engine", "report", "write", "seconds"):
        yield Figure(f"{name}, {traces:,} traces", many[name], unit="s")


def _measured(traces: int) -> dict[str, Any]:
    """The figures of one run in a process of its own, with the greatest memory of its tree (bytes)."""
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
        file = Path(folder) / "traces.jsonl"
        with file.open("w") as out:
            out.writelines(json.dumps(trace) + "\n" for trace in generate(traces, light=True))
        command = [sys.executable, "-m", "benchmarks.spine", str(file)]
        done = run(command, {**os.environ, "INSIGHTS_EMBEDDING": "none"})
        return {"traces": traces, "seconds": done.seconds, "memory": done.memory, **json.loads(done.output)}


async def _one(file: Path) -> dict[str, float]:
    """What `insights analyze` does, with a look at the clock when the job changes its state."""
    with ExitStack() as stack:
        folder = file.parent
        source = stack.enter_context(opened(str(file), None, None, folder))
        progress = stack.enter_context(Progress())
        at: dict[JobState, float] = {}
        async with running(tuple(ROUTERS), Settings.load(), folder) as process:
            begun = time.monotonic()
            project = await load(process.store, source, progress)
            read = time.monotonic()
            job = await find_or_submit(process, project, JobConfig())
            while job.state in UNFINISHED:
                at.setdefault(job.state, time.monotonic())
                await asyncio.sleep(0.05)
                job = await process.store.job(job.workspace_id, job.id) or job
            ended = time.monotonic()
            await write_report(folder / "report.json", process.store, job, project=project)
            written = time.monotonic()
            engine = await _engine(process.store, job)
    ready = at.get(JobState.READY, ended)
    return {
        "read": read - begun,
        "prepare": at[JobState.RUNNING] - read,
        "items": ready - at[JobState.RUNNING],
        "report": ended - ready,
        "write": written - ended,
        "engine": engine * (job.sampled or 0),
    }


async def _engine(store: Any, job: Any) -> float:
    """Seconds of the engine alone for one trace, without bus and store."""
    frozen = await FrozenJobs(store).get(job.workspace_id, job.id)
    items = await store.items(job.workspace_id, job.id, limit=ENGINE_SAMPLE)
    loaded = await load_items(store, items, frozen.prompt)
    begun = time.perf_counter()
    for one in loaded:
        local.summarize(frozen.prompt.render(one.context()), frozen.plan)
    return (time.perf_counter() - begun) / len(items)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_one(Path(sys.argv[1])))))
