"""What bus and store cost a trace, what memory a large file needs, and whether time grows with size alone.

    python -m benchmarks.spine [--traces 100000]

Prints, for N and N/10 short traces through `analyze`: milliseconds of bus and store per trace and stage (limit 1),
resident memory of the process tree (limit 1.5 GB), and the time of N against that of N/10 (limit 11 times).
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from insights.analyze import find_or_submit
from insights.demo import generate
from insights.process import ROUTERS, running
from insights.progress import Progress
from insights.report_json import write_report
from insights.source import load, opened
from services.summarizer import local
from services.summarizer.context import load as load_items
from shared.config import Settings
from shared.ending import UNFINISHED
from shared.frozen import FrozenJobs
from shared.job_config import JobConfig
from shared.models import JobState

STAGES = 4  # release, summarise, extract, check: an event each
LIMIT_MS, LIMIT_GB, LIMIT_TIMES = 1.0, 1.5, 11.0
ENGINE_SAMPLE = 500


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asyncio.run(_one(options.one))))
        return 0
    few, many = [_measured(n) for n in (options.traces // 10, options.traces)]
    return _print(few, many)


def _measured(traces: int) -> dict[str, Any]:
    """The figures of one run in a process of its own, with the greatest memory of its tree (bytes)."""
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
        file = Path(folder) / "traces.jsonl"
        with file.open("w") as out:
            out.writelines(json.dumps(trace) + "\n" for trace in generate(traces, light=True))
        begun = time.monotonic()
        command = [sys.executable, "-m", "benchmarks.spine", "--one", str(file)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        memory: list[int] = []
        watch = threading.Thread(target=_watch, args=(process, memory))
        watch.start()
        output = process.communicate()[0]
        watch.join()
        if process.returncode:
            raise RuntimeError(f"the run of {traces:,} traces failed")
        return {"traces": traces, "seconds": time.monotonic() - begun, "memory": max(memory), **json.loads(output)}


def _watch(process: "subprocess.Popen[bytes]", memory: list[int]) -> None:
    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        for one in [root, *root.children(recursive=True)]:
            try:
                total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        memory.append(total)
        time.sleep(0.2)


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


def _print(few: dict[str, Any], many: dict[str, Any]) -> int:
    table = Table("figure", f"{few['traces']:,}", f"{many['traces']:,}", "limit")
    for name in ("read", "prepare", "items", "engine", "report", "write", "seconds"):
        table.add_row(f"{name}, s", f"{few[name]:.1f}", f"{many[name]:.1f}", "")
    cost = [(run["items"] - run["engine"]) / run["traces"] / STAGES * 1_000 for run in (few, many)]
    memory = [run["memory"] / 1e9 for run in (few, many)]
    times = many["seconds"] / few["seconds"]
    table.add_row("bus and store, ms a trace and stage", *(f"{one:.3f}" for one in cost), f"{LIMIT_MS}")
    table.add_row("memory of the tree, GB", *(f"{one:.2f}" for one in memory), f"{LIMIT_GB}")
    table.add_row("times as long", "1", f"{times:.1f}", f"{LIMIT_TIMES}")
    Console().print(table)
    return int(max(cost) > LIMIT_MS or max(memory) > LIMIT_GB or times > LIMIT_TIMES)


if __name__ == "__main__":
    raise SystemExit(main())
