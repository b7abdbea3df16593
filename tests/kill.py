"""`make kill`: killed without warning at random moments and started again, a job ends in the same report."""

import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.cluster import INSIGHTS, SERVICES, Cluster, clean, cluster, comparable, insights
from tests.servers.kafka import kafka_server
from tests.servers.mongo import mongo_server, new_database

TRACES = 1_000
MOMENTS = 10
KILLS = 3


def killed_and_started_again(traces: Path, folder: Path, seconds: float) -> Path:
    """The report of an analysis that was killed after `seconds`, if it still ran then, and started again."""
    report = folder / "report.json"
    arguments = ["analyze", str(traces), "--json", str(report), "--data", str(folder / "data")]
    first = subprocess.Popen(
        [INSIGHTS, *arguments], env=clean({}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        first.wait(seconds)
    except subprocess.TimeoutExpired:
        first.kill()
        first.wait()
        report.unlink(missing_ok=True)
    insights(*arguments, env={})
    return report


def kill_services(
    whole: Cluster, traces: Path, seconds: float, rng: random.Random, *, kills: int = KILLS
) -> tuple[Path, int]:
    """The report of a job during which services, one after the other, were killed and started again; how many were."""
    report = whole.folder / "killed.json"
    command = [INSIGHTS, "analyze", str(traces), "--json", str(report)]
    analysis = subprocess.Popen(command, env=clean(whole.env), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    killed = 0
    for name in rng.sample(SERVICES, kills):
        pause = rng.uniform(0.5, 1) * seconds / kills
        try:
            analysis.wait(pause)
        except subprocess.TimeoutExpired:
            print(f"  kill -9 {name} after {pause:.1f} s more", flush=True)
            service = whole.services[name]
            service.process.kill()
            service.start()
            killed += 1
    _, said = analysis.communicate(timeout=600)
    if analysis.returncode:
        raise RuntimeError(said.decode())
    return report, killed


def main() -> int:
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insights-kill-")))
        traces, whole_report = folder / "traces.jsonl", folder / "whole.json"
        insights("demo", "--traces", str(TRACES), "--out", str(traces), env={})
        begun = time.monotonic()
        insights("analyze", str(traces), "--json", str(whole_report), "--data", str(folder / "whole"), env={})
        seconds, expected = time.monotonic() - begun, comparable(whole_report)
        print(f"{TRACES:,} traces take {seconds:.1f} s", flush=True)
        different = 0
        for place in range(MOMENTS):
            moment = rng.uniform(place, place + 1) / MOMENTS * seconds
            mine = folder / f"local-{place}"
            mine.mkdir()
            same = comparable(killed_and_started_again(traces, mine, moment)) == expected
            print(f"  kill -9 after {moment:.1f} s: {'the same report' if same else 'ANOTHER REPORT'}", flush=True)
            different += not same
        kafka, mongo = stack.enter_context(kafka_server()), stack.enter_context(mongo_server())
        whole = stack.enter_context(cluster(folder, kafka=kafka, mongo=new_database(mongo)))
        report, killed = kill_services(whole, traces, seconds, rng)
        same = comparable(report) == expected
        print(f"  on Kafka, {killed} kills: {'the same report' if same else 'ANOTHER REPORT'}", flush=True)
        return int(different > 0 or not same)


if __name__ == "__main__":
    raise SystemExit(main())
