"""`insights analyze` on sample traces: an honest report, the same whenever it is made again."""

import json
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from insights.demo import generate, write
from tests.insights.command import Outcome, insights, started
from tests.insights.truth import Trace, check_report, traces_of

TRACES = 60
STOP_SECONDS = 2.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that most tests share, with `demo.jsonl` in it."""
    folder = tmp_path_factory.mktemp("data")
    write(folder / "demo.jsonl", TRACES)
    return folder


@pytest.fixture(scope="module")
def demo(folder: Path) -> Path:
    return folder / "demo.jsonl"


@pytest.fixture(scope="module")
def traces(demo: Path) -> dict[str, Trace]:
    return traces_of(demo)


def analyze(file: Path, folder: Path, *options: str) -> tuple[Outcome, str]:
    """What a person sees, and the report's JSON as text."""
    target = folder / "report.json"
    target.unlink(missing_ok=True)
    outcome = insights("analyze", file, "--data", folder, "--json", target, *options)
    return outcome, target.read_text() if target.exists() else ""


@pytest.fixture(scope="module")
def first(demo: Path, folder: Path) -> tuple[Outcome, str]:
    return analyze(demo, folder)


def without_time(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith('"created_at"')]


# The report


def test_the_report_states_the_figures_of_the_file(first: tuple[Outcome, str], traces: dict[str, Trace]) -> None:
    outcome, text = first
    assert outcome.code == 0, outcome.err
    check_report(json.loads(text), traces)


def test_the_report_accounts_for_every_trace_of_the_file(first: tuple[Outcome, str], traces: dict[str, Trace]) -> None:
    coverage = json.loads(first[1])["coverage"]
    unfinished = sum(not one.ended for one in traces.values())
    assert unfinished, "the sample traces hold one that has not ended"
    assert coverage["unfinished"] == unfinished
    assert coverage["matched"] == coverage["sampled"] == coverage["summarized"] == TRACES - unfinished
    assert (coverage["requested"], coverage["bad_line_count"], coverage["failed"]) == (None, 0, [])


def test_the_terminal_shows_every_category_and_what_is_missing(first: tuple[Outcome, str]) -> None:
    outcome, text = first
    document = json.loads(text)
    for cluster in document["clusters"]:
        assert cluster["name"] in outcome.out
    assert "Runs that had not ended: 1" in outcome.out
    assert outcome.err.startswith("Data folder: ")
    assert "Traceback" not in outcome.err


# Again


def test_the_same_command_prints_the_same_report_again_and_says_so(
    first: tuple[Outcome, str], demo: Path, folder: Path
) -> None:
    outcome, text = analyze(demo, folder)
    again = "Made before of the same traces and options: nothing was computed this time.\n"
    assert again in outcome.out
    assert (outcome.code, outcome.out.replace(again, ""), text) == (0, first[0].out, first[1])


def test_another_process_with_another_folder_makes_the_same_bytes(
    first: tuple[Outcome, str], demo: Path, tmp_path: Path
) -> None:
    """The whole path of a user: the console script, with --json - for a pipe."""
    with started("analyze", demo, "--data", tmp_path, "--json", "-") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert without_time(out) == without_time(first[1])
    assert "Whole sample" in err, "the pipe holds the JSON alone, and the report is on standard error"
    assert "Traceback" not in err


def sizes(document: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    """Each category with its figures, but for ids, which are of the file."""
    return Counter(
        (one["level"], one["name"], one["parent_name"], one["num_runs"], json.dumps(one["stats"]))
        for one in document["clusters"]
    )


def test_the_order_of_lines_changes_neither_sample_nor_categories(
    demo: Path, folder: Path, traces: dict[str, Trace]
) -> None:
    lines = demo.read_text().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    shuffled = folder / "shuffled.jsonl"
    shuffled.write_text("".join(lines))

    left, right = (json.loads(analyze(file, folder, "--sample", "20")[1]) for file in (demo, shuffled))

    check_report(left, traces)
    assert left["coverage"]["requested"] == left["coverage"]["summarized"] == 20
    assert [row["run_id"] for row in left["runs"]] == [row["run_id"] for row in right["runs"]]
    assert sizes(left) == sizes(right)


def test_a_file_keeps_its_traces_when_a_later_one_holds_them_too(tmp_path: Path) -> None:
    """Today's export holds yesterday's runs: a new report on yesterday's file must still find them."""
    runs = [json.dumps(run) + "\n" for run in generate(4, light=True)]
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text("".join(runs[:3]))
    new.write_text("".join(runs))
    texts = [analyze(file, tmp_path, "--seed", seed)[1] for file, seed in ((old, "0"), (new, "0"), (old, "1"))]
    assert [len(json.loads(text)["runs"]) for text in texts] == [3, 4, 3]


# Options


def test_filter_and_window_choose_the_traces(demo: Path, folder: Path, traces: dict[str, Trace]) -> None:
    runs = [json.loads(line) for line in demo.read_text().splitlines()]
    since, until = "2026-06-05", "2026-06-10T12:00:00"
    wanted = {
        run["id"]
        for run in runs
        if since <= run["start_time"] < until and (run.get("total_tokens") or 0) > 900 and run["status"] != "pending"
    }
    options = ("--since", since, "--until", until, "--filter", "gt(total_tokens, 900)", "--name", "Dear ones")

    outcome, text = analyze(demo, folder, *options)

    document = json.loads(text)
    assert 3 < len(wanted) < TRACES / 2
    assert {row["run_id"] for row in document["runs"]} == wanted
    assert document["coverage"]["matched"] == len(wanted)
    assert document["start_time"] == "2026-06-05T00:00:00+00:00"
    assert document["end_time"] == "2026-06-10T12:00:00+00:00"
    assert document["name"] == "Dear ones"
    assert "Began: from 2026-06-05 00:00 UTC to 2026-06-10 12:00 UTC" in outcome.out
    check_report(document, traces)


def test_a_relative_window_is_made_anew_and_one_trace_is_a_list(tmp_path: Path) -> None:
    [run] = generate(1, seed=3)
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 60))
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(run | {"start_time": now, "end_time": now, "dotted_order": None, "child_runs": []}))

    (outcome, text), (_, again) = analyze(file, tmp_path, "--since", "1h"), analyze(file, tmp_path, "--since", "1h")

    assert outcome.code == 0, outcome.out
    assert "Traces (too few for categories)" in outcome.out
    one, two = json.loads(text), json.loads(again)
    assert one["id"] != two["id"]
    assert one["end_time"] < two["end_time"]
    assert [row["run_id"] for row in one["runs"]] == [row["run_id"] for row in two["runs"]] == [run["id"]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--filter", 'eq(statuss, "error")'), ["did you mean status", "\n       ^"]),
        (("--filter", 'eq(status, "error"'), ["Expected )", "^"]),
        (("--prompt", "{{run.inputz.x}}"), ["inputs"]),
        (("--prompt", "{{run.inputs"), ["never closed"]),
        (("--prompt", "no-such-file.txt"), ["no-such-file.txt", "{{"]),
        (("--since", "yesterday"), ["--since", "7d"]),
        (("--since", "2026-06-10", "--until", "2026-06-01"), ["before"]),
        (("--sample", "0"), ["--sample", "at least 1"]),
        (("--seed", "-1"), ["seed"]),
        (("--unit", "day"), ["unit", "trace"]),
        (("--id", "key"), ["--text"]),
        (("--sampel", "3"), ["--sample"]),
        (("--json", "no/such/folder/report.json"), ["no/such/folder"]),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(
    first: tuple[Outcome, str], demo: Path, folder: Path, options: tuple[str, ...], said: list[str]
) -> None:
    outcome = insights("analyze", demo, "--data", folder, *options)
    assert outcome.code == 2
    for part in said:
        assert part in outcome.err


def test_a_prompt_that_reads_what_no_trace_has_fails_before_the_work(demo: Path, folder: Path) -> None:
    """Whether a path exists is known once the traces are read: the job fails (1), and no trace is summarised."""
    outcome, text = analyze(demo, folder, "--prompt", "{{run.inputs.mesages}}")
    document = json.loads(text)
    assert outcome.code == 1
    assert "run.inputs.mesages is in no trace (perhaps run.inputs.messages)" in outcome.err
    assert outcome.out == ""
    assert (document["status"], document["runs"]) == ("error", [])
    assert "run.inputs.messages" in document["error"]
    assert document["coverage"]["summarized"] == 0


def test_a_job_file_with_an_unknown_key_is_refused_by_name(demo: Path, folder: Path) -> None:
    job = folder / "job.yaml"
    job.write_text("name: Week\nsampel: 3\n")
    outcome = insights("analyze", demo, "--data", folder, "--config", job)
    assert outcome.code == 2
    assert "unknown option sampel" in outcome.err
    assert "job.yaml" in outcome.err


# Ctrl-C, and a second command beside


def test_ctrl_c_ends_within_two_seconds_and_says_how_to_go_on(tmp_path: Path) -> None:
    """While it works, a second command on the folder is told who holds it."""
    file = tmp_path / "many.jsonl"
    write(file, 3_000, light=True)
    with started("analyze", file, "--data", tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Data folder: ")
        beside = insights("analyze", file, "--data", tmp_path)

        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - pressed

    assert (process.returncode, out) == (130, "")
    assert err.strip() == "Stopped. The same command goes on where it was."
    assert took < STOP_SECONDS
    assert beside.code == 2
    assert f"`insights analyze` (process {process.pid})" in beside.err
    assert "--data" in beside.err
