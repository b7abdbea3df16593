"""`insights analyze` and `import` on files of every kind: a report, or a sentence that says what was expected."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from insights.demo import generate, write
from shared.models import DEFAULT_WORKSPACE
from shared.store.sqlite import SqliteStore
from tests.insights.command import Outcome, insights
from tests.insights.truth import check_shape, check_tree

BAD_LINES = 7


def analyze(folder: Path, content: bytes, *options: str) -> tuple[Outcome, dict[str, Any]]:
    """A file of this content; what a person sees, and the report's JSON, empty if there is none."""
    file, target = folder / "input", folder / "report.json"
    file.write_bytes(content)
    outcome = insights("analyze", file, "--data", folder, "--json", target, *options)
    return outcome, json.loads(target.read_text()) if target.exists() else {}


def lines(*records: Any) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def refused(outcome: Outcome, *said: str) -> None:
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    for part in said:
        assert part in outcome.err


# What can't be read


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ["holds no trace", "JSON lines"]),
        (b"\n \n", ["holds no trace", "JSON lines"]),
        (b"%PDF-1.7 ...", ["a PDF", "JSON lines"]),
        (b"PK\x03\x04....", ["zip", "unpack"]),
        (b"a,b\n1,2\n", ["Line 1", "not JSON", "Expected"]),
        (b"\0\0\0\0", ["Line 1", "Expected"]),
        (lines({"question": "why?"}), ["--text", "question"]),
        (gzip.compress(lines(*generate(5)))[:-20], ["cut off"]),
        (b"[" * 10_000 + b"]" * 10_000, ["nested too deep"]),
        (lines({"id": "a", "inputs": {}, "parent_run_id": "b"}), ["no trace", "root run"]),
    ],
    ids=["empty", "blank", "pdf", "zip", "csv", "nul", "unknown", "cut-gzip", "deep", "rootless"],
)
def test_a_file_that_is_no_file_of_traces_is_refused_with_what_was_expected(
    tmp_path: Path, content: bytes, said: list[str]
) -> None:
    outcome, document = analyze(tmp_path, content)
    refused(outcome, *said)
    assert document == {}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused(insights("analyze", tmp_path / "absent.jsonl", "--data", tmp_path), "absent.jsonl", "No such file")
    refused(insights("analyze", tmp_path, "--data", tmp_path), "directory")


# What is strange, and yet can be read


def strange() -> list[Any]:
    """Records that are traces, however odd."""
    return [
        {"id": "nul", "inputs": {"q": "a\0b"}, "outputs": {"a": "\0"}, "name": "\0"},
        {"id": "\ud800", "inputs": {"q": "lone \ud800 surrogate"}, "tags": ["\udfff"], "error": "\ud800"},
        {"id": "nan", "inputs": {"q": float("nan")}, "total_tokens": float("inf"), "total_cost": float("nan")},
        {"id": "old", "inputs": {"q": "year 0"}, "start_time": "0000-01-01T00:00:00", "end_time": "9999-12-31"},
        {"id": "far", "inputs": {"q": "year 9999"}, "start_time": "9999-12-31T23:59:59.999999", "end_time": 9e30},
        {"id": "twice", "inputs": {"q": "first"}},
        {"id": "twice", "inputs": {"q": "second"}},
        {"id": "none", "inputs": {"messages": []}, "outputs": {"messages": [None, {}, 7]}},
        {"id": "null", "inputs": None, "outputs": None, "run_type": "chain"},
        {"id": "wrong", "inputs": [1], "outputs": "x", "feedback_stats": [], "extra": 3, "tags": {}, "name": []},
        {"id": 7, "inputs": {"q": "\x1b[2J\u202eclear the screen"}},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}, None]}]},
    ]


def bad() -> list[bytes]:
    return [b"{", b"\xff\xfe", b'"text"', b"7", b"[]", b'{"a": 1}', b'{"inputs":' * 10_000 + b"1" + b"}" * 10_000]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, dict[str, Any]]:
    """The report on strange traces, a handful of usual ones, and bad lines from line 1,001 on."""
    content = lines(*strange(), *generate(8, light=True))
    content += b"\n" * (1_000 - content.count(b"\n")) + b"\n".join(bad())
    return analyze(tmp_path_factory.mktemp("odd"), content)


def test_strange_traces_are_reported_like_all_others(odd: tuple[Outcome, dict[str, Any]]) -> None:
    outcome, document = odd
    assert outcome.code == 0, outcome.err
    check_shape(document)
    check_tree(document)
    coverage = document["coverage"]
    assert coverage["matched"] + coverage["unfinished"] == len(strange()) - 1 + 8, "the repeated id is one trace"
    assert coverage["failed"] == []
    assert document["stats"]["tokens_n"] <= 8, "NaN and infinity are unknown"
    assert "Repeated lines in the file: 1" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err
    assert "\u202e" not in outcome.out


def test_bad_lines_are_named_with_number_and_reason(odd: tuple[Outcome, dict[str, Any]]) -> None:
    outcome, document = odd
    coverage = document["coverage"]
    assert coverage["bad_line_count"] == len(coverage["bad_lines"]) == BAD_LINES == len(bad())
    assert [one["line"] for one in coverage["bad_lines"]] == list(range(1_001, 1_001 + BAD_LINES))
    assert all(one["reason"] for one in coverage["bad_lines"])
    assert f"Bad lines in the file: {BAD_LINES}" in outcome.out
    shown = [f"line {number}: " in outcome.out for number in range(1_001, 1_001 + BAD_LINES)]
    assert shown == [True] * 5 + [False] * 2
    assert "and 2 more" in outcome.out


def test_any_json_lines_come_through_a_pipe_and_twins_share_one_leaf(tmp_path: Path) -> None:
    """20 records with the same text, compressed, on standard input, with --text and --id."""
    records = lines(*({"key": f"t{number}", "body": {"q": "Where is my parcel?"}} for number in range(20)))
    target = tmp_path / "report.json"
    options = ("--data", tmp_path, "--json", target, "--text", "body.q", "--id", "key")
    outcome = insights("analyze", "-", *options, stdin=gzip.compress(records))
    assert outcome.code == 0, outcome.err
    document = json.loads(target.read_text())
    check_tree(document)
    assert {row["source_id"] for row in document["runs"]} == {f"t{number}" for number in range(20)}
    assert len({row["cluster_id"] for row in document["runs"]}) == 1
    assert "Project standard input" in outcome.out
    assert not list(tmp_path.glob("stdin-*")), "the spooled copy is gone"


# insights import


async def roots(folder: Path, name: str) -> int:
    """How many traces the store has in the project of this name."""
    store = await SqliteStore.open(f"sqlite:///{folder}/insights.db")
    project = await store.project_named(DEFAULT_WORKSPACE, name)
    assert project is not None
    found = await store.root_runs(DEFAULT_WORKSPACE, project.id)
    await store.close()
    return len(found)


def test_import_puts_the_runs_into_the_project_of_that_name(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    write(file, 10, light=True)
    said = [insights("import", file, "--project", "shop", "--data", tmp_path) for _ in range(2)]
    assert [(one.code, one.out) for one in said] == [(0, "10 runs of demo.jsonl are in project shop.\n")] * 2
    assert asyncio.run(roots(tmp_path, "shop")) == 10


def test_import_of_no_traces_is_refused_like_analyze_refuses_it(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_bytes(b"")
    refused(insights("import", file, "--project", "shop", "--data", tmp_path), "holds no trace", "JSON lines")
