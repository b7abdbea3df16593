"""Reports on public traces state what the files say: the figures are made again from the raw files."""

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.insights.command import insights
from tests.insights.truth import check_report, traces_of

DATA = Path(__file__).parents[3] / "shared" / "data"
LARGE = {"traces_mint.jsonl.gz", "traces_arena_hard.jsonl.gz"}
FILES = (
    "traces_tau_bench.jsonl",
    "traces_tau2_activegraph.jsonl",
    "traces_langsmith_native.jsonl",
    *sorted(LARGE),
)
LINES = 300  # of the large ones: a test reads no more
BY_WORDS = LARGE | {"traces_tau_bench.jsonl"}  # their vectors would take a minute; the figures are the same
SAMPLE = 150


def _there(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the checkout, in shared/data")
    return path


def _begin(path: Path, target: Path) -> Path:
    with gzip.open(path, "rb") as file, gzip.open(target, "wb") as begin:
        begin.writelines(islice(file, LINES))
    return target


def _report(path: Path, folder: Path, *options: str, vectors: bool = True) -> dict[str, Any]:
    target = folder / "report.json"
    settings = {} if vectors else {"INSIGHTS_EMBEDDING": "none"}
    outcome = insights("analyze", path, "--data", folder, "--json", target, *options, settings=settings)
    assert outcome.code == 0, outcome.err
    document: dict[str, Any] = json.loads(target.read_text())
    return document


@pytest.mark.parametrize("name", FILES)
def test_the_figures_of_a_public_file_are_those_that_its_lines_say(name: str, tmp_path: Path) -> None:
    path = _there(DATA / name)
    if name in LARGE:
        path = _begin(path, tmp_path / name)
    traces = traces_of(path)
    options = ("--sample", str(SAMPLE)) if name in LARGE else ()

    document = _report(path, tmp_path, *options, vectors=name not in BY_WORDS)

    check_report(document, traces)
    coverage = document["coverage"]
    assert coverage["matched"] == len(traces)
    assert coverage["summarized"] == (SAMPLE if name in LARGE else len(traces))
    assert coverage["bad_line_count"] == 0


def test_posts_and_patches_as_langsmith_clients_send_them_become_whole_runs(tmp_path: Path) -> None:
    files = sorted(_there(DATA / "formats" / "langsmith").glob("*.jsonl"))
    path = tmp_path / "sent.jsonl"
    path.write_text("".join(file.read_text() for file in files))
    traces = traces_of(path)

    document = _report(path, tmp_path)

    check_report(document, traces)
    assert document["coverage"]["summarized"] == len(files) == len(traces)
    assert document["stats"]["tokens_n"] == len(files), "the tokens of the model calls below the roots are found"
