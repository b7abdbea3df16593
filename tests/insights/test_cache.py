"""What `insights cache` says of the answers that are kept, and forgets."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from insights.cache import _size
from insights.folder import locked
from shared.models import DEFAULT_WORKSPACE, Stage
from shared.store import connect
from tests.insights.command import insights


def kept(path: Path, stage: Stage, answers: Mapping[str, bytes], workspace: str = DEFAULT_WORKSPACE) -> None:
    async def keep() -> None:
        store = await connect(f"sqlite:///{path}")
        await store.keep_answers(workspace, {stage: answers})
        await store.close()

    asyncio.run(keep())


def test_what_is_kept_is_counted_by_stage_and_forgotten_together(tmp_path: Path) -> None:
    """Of every workspace: each file that `analyze` reads has its own."""
    path = tmp_path / "insights.db"
    kept(path, Stage.SUMMARIES, {str(number): bytes(1_000) for number in range(1_200)})
    kept(path, Stage.FINDINGS, {"f": b"12"})
    kept(path, Stage.FINDINGS, {"f": b"1"}, workspace="another")
    found = insights("cache", "stats", "--data", tmp_path)
    assert [line.split() for line in found.out.splitlines()] == [
        ["findings", "2", "3", "bytes"],
        ["summaries", "1,200", "1.2", "MB"],
        ["together", "1,202", "1.2", "MB"],
    ]
    assert insights("cache", "clear", "--data", tmp_path).out == "1,202 answers of models are forgotten.\n"
    assert insights("cache", "stats", "--data", tmp_path).out == "No answers of models are kept.\n"


def test_the_store_of_the_settings_is_meant_where_there_is_one(tmp_path: Path) -> None:
    kept(tmp_path / "shared.db", Stage.VECTORS, {"a": b"1"})
    settings = {"INSIGHTS_STORE": f"sqlite:///{tmp_path}/shared.db"}
    assert insights("cache", "clear", "--data", tmp_path, settings=settings).out.startswith("1 answers")


def test_nothing_is_forgotten_under_a_process_that_uses_the_folder(tmp_path: Path) -> None:
    kept(tmp_path / "insights.db", Stage.VECTORS, {"a": b"1"})
    with locked(tmp_path, "analyze"):
        found = insights("cache", "clear", "--data", tmp_path)
        counted = insights("cache", "stats", "--data", tmp_path)
    assert found.code == 2
    assert "in use by `insights analyze`" in found.err
    assert counted.out.startswith("vectors")


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (99_940, "99.9 kB"), (210_400_000, "210 MB")],
)
def test_a_size_has_three_digits(size: int, words: str) -> None:
    assert _size(size) == words
