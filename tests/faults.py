"""`make faults`: a model's endpoint that fails in every way it knows; each failed item is named, all others unchanged.

Then the same job again, and killed in the midst and again: nothing is paid twice beyond the calls in flight.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import INSIGHTS, clean, insights
from tests.servers.fake_model import FakeModelServer

TRACES = 1_000
SHARE = 0.05
FOR_EVER = ("content-filter", "context-length", "refusal")
ONCE = ("429", "429-bare", "500", "503", "cut", "hang", "half-json", "schema", "empty", "length")
FAULTS = [
    *(option for kind in FOR_EVER for option in ("--fault", f"{kind}:{SHARE}:always")),
    *(option for kind in ONCE for option in ("--fault", f"{kind}:{SHARE}")),
]
ATTRIBUTES = ("--attribute", "satisfied: boolean: was the user content at the end")
SETTINGS = {"INSIGHTS_MODEL_TIMEOUT": "5", "OPENAI_API_KEY": "sk-of-a-test"}


@dataclass(frozen=True)
class Outcome:
    """Of each item that was done what the model said, and of each that failed the reason; by run id."""

    done: Mapping[str, tuple[str, Mapping[str, Any]]]
    failed: Mapping[str, str]


@dataclass
class Analysis:
    """One data folder, whose kept answers the next run on it finds."""

    traces: Path
    folder: Path
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    def command(self, url: str, report: Path, *more: str) -> Sequence[str]:
        options = ["--engine", "model", "--base-url", url, "--json", str(report), "--data", str(self.folder)]
        return ["analyze", str(self.traces), *options, *ATTRIBUTES, *more]

    def run(self, url: str, *more: str) -> Outcome:
        report = self.folder / "report.json"
        insights(*self.command(url, report, *more), env=self.settings)
        found = json.loads(report.read_text())
        coverage = found["coverage"]
        assert coverage["failed_count"] == len(coverage["failed"])
        return Outcome(
            {run["run_id"]: (run["summary"], run["attributes"]) for run in found["runs"]},
            {one["run_id"]: one["reason"] for one in coverage["failed"]},
        )

    def killed(self, url: str, seconds: float) -> None:
        command = [INSIGHTS, *self.command(url, self.folder / "never.json")]
        first = subprocess.Popen(
            command, env=clean(self.settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            first.wait(seconds)
        except subprocess.TimeoutExpired:
            first.kill()
            first.wait()


def compare(undisturbed: Outcome, disturbed: Outcome) -> Counter[str]:
    """How many items failed, by the reason's beginning. AssertionError where the others are not the same."""
    assert not undisturbed.failed
    assert undisturbed.done.keys() == disturbed.done.keys() | disturbed.failed.keys()
    assert all(disturbed.failed.values())
    different = [key for key, said in disturbed.done.items() if said != undisturbed.done[key]]
    assert not different, f"{len(different)} items are not as without faults, such as {different[0]}"
    return Counter(reason[:40] for reason in disturbed.failed.values())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TRACES
    with tempfile.TemporaryDirectory(prefix="insights-faults-") as place:
        folder = Path(place)
        traces = folder / "traces.jsonl"
        insights("demo", "--traces", str(count), "--out", str(traces), env={})
        calm, wild = FakeModelServer(folder), FakeModelServer(folder, *FAULTS)
        calm.start()
        wild.start()
        undisturbed = Analysis(traces, folder / "calm")
        whole = undisturbed.run(calm.base_url)
        print(f"{len(whole.done):,} items without faults, {calm.stats()['requests']:,} calls")
        print(compare(whole, Analysis(traces, folder / "wild").run(wild.base_url)))
        before = calm.stats()["requests"]
        undisturbed.run(calm.base_url, "--name", "again")
        print(f"the same again: {calm.stats()['requests'] - before} calls")
        third = Analysis(traces, folder / "killed")
        before = calm.stats()["requests"]
        third.killed(calm.base_url, 8.0)
        paid = calm.stats()["requests"] - before
        third.run(calm.base_url)
        print(f"killed after {paid:,} calls, and again: {calm.stats()['requests'] - before:,} calls altogether")


if __name__ == "__main__":
    main()
