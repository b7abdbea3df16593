"""`insights analyze` and `import` on files of every kind: a report, or a sentence that says what was expected."""

import asyncio
import gzip
import io
import json
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from insights.demo import generate, write
from insights.source import opened
from shared.ending import now
from shared.models import DEFAULT_WORKSPACE, Run
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
    refused(insights("analyze", tmp_path, "--data", tmp_path), f"{tmp_path} is a directory", "name a file")


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
    assert "Repeated ids in the file, of which the last counts: 1" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err
    assert "\u202e" not in outcome.out


def test_runs_without_their_root_are_counted_once_each(tmp_path: Path) -> None:
    """Also one that tells its parent alone, and one that comes twice; the children of a trace that is there are not."""
    orphans = [{"id": f"o{n}", "parent_run_id": "away", "inputs": {}} for n in range(3)]
    traced = {"id": "t", "parent_run_id": "x", "trace_id": "gone", "inputs": {}}
    child = {"id": "child", "parent_run_id": "root", "trace_id": "root", "inputs": {}}
    outcome, _ = analyze(tmp_path, lines(child, *orphans, traced, traced, {"id": "root", "inputs": {"q": "Why?"}}))
    assert outcome.code == 0, outcome.err
    assert "Runs whose root run is not in the file: 4" in outcome.out


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


# What can be read only once


def test_a_pipe_with_a_name_is_read_once_and_whole(tmp_path: Path) -> None:
    """As of a shell's <(zcat traces.gz): the digest needs the bytes, and so does the report."""
    content = lines(*generate(20, light=True))
    pipe, target = tmp_path / "pipe", tmp_path / "report.json"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    outcome = insights("analyze", pipe, "--data", tmp_path, "--json", target)
    assert outcome.code == 0, outcome.err
    assert "Project pipe" in outcome.out
    assert json.loads(target.read_text()) | {"created_at": ""} == analyze(tmp_path, content)[1] | {"created_at": ""}


def test_a_killed_run_leaves_no_copy_of_what_came_through_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy has no name in the folder even while it is read; it can be read again and again."""
    content = lines(*generate(3, light=True))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with opened("-", None, None, tmp_path) as source:
        assert list(tmp_path.iterdir()) == []
        assert source.size == len(content)
        assert len(list(source.read())) == len(list(source.read())) == 3


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """A disk that is full, as this process sees it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_is_told_in_a_sentence(tmp_path: Path) -> None:
    with no_file_over(10_000):
        outcome = insights("analyze", "-", "--data", tmp_path, stdin=b"x" * 20_000)
    refused(outcome, "standard input cannot be kept in", "--data DIR")


def test_messages_about_a_pipe_name_it(tmp_path: Path) -> None:
    refused(insights("analyze", "-", "--data", tmp_path, stdin=b"a,b\n"), "standard input holds no trace", "Line 1")


# Bytes that are no text, on the command line


@pytest.mark.parametrize("option", ["--name", "--since", "--until", "--filter", "--prompt", "--unit", "--text"])
def test_an_option_that_is_not_utf8_is_refused_by_name(tmp_path: Path, option: str) -> None:
    outcome = insights("analyze", "absent.jsonl", "--data", tmp_path, option, "\udcff")
    refused(outcome, f"{option} '\\udcff' is not UTF-8")


def test_a_file_whose_name_is_not_utf8_is_read_and_its_name_replaced(tmp_path: Path) -> None:
    file = tmp_path / "\udcff.jsonl"
    file.write_bytes(lines(*generate(3, light=True)))
    outcome = insights("analyze", file, "--data", tmp_path)
    assert outcome.code == 0, outcome.err
    assert "Project ?.jsonl" in outcome.out


# insights import


def test_a_project_whose_name_is_not_utf8_is_refused(tmp_path: Path) -> None:
    refused(insights("import", "absent.jsonl", "--project", "\udcff", "--data", tmp_path), "--project", "not UTF-8")


def test_runs_that_are_imported_later_are_received_later(tmp_path: Path) -> None:
    """A job's `received_before` tells what it saw: the age of the project must not hide that a run is new."""
    early, late = (lines(run) for run in generate(2, light=True))
    file = tmp_path / "runs.jsonl"
    for content in (early, late):
        second = now()
        file.write_bytes(content)
        insights("import", file, "--project", "shop", "--data", tmp_path)
    times = sorted(run.received_at for run in asyncio.run(roots_of(tmp_path, "shop")))
    assert times[0] < second <= times[1]


async def roots_of(folder: Path, name: str) -> list[Run]:
    """The traces that the store has in the project of this name."""
    store = await SqliteStore.open(f"sqlite:///{folder}/insights.db")
    project = await store.project_named(DEFAULT_WORKSPACE, name)
    assert project is not None
    found = await store.root_runs(DEFAULT_WORKSPACE, project.id)
    await store.close()
    return found


def test_import_puts_the_runs_into_the_project_of_that_name(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    write(file, 10, light=True)
    said = [insights("import", file, "--project", "shop", "--data", tmp_path) for _ in range(2)]
    assert [(one.code, one.out) for one in said] == [(0, "Project shop has 10 runs of demo.jsonl.\n")] * 2
    assert len(asyncio.run(roots_of(tmp_path, "shop"))) == 10


def test_import_of_no_traces_is_refused_like_analyze_refuses_it(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_bytes(b"")
    refused(insights("import", file, "--project", "shop", "--data", tmp_path), "holds no trace", "JSON lines")
