"""Services share one process that makes vectors; it comes and goes, and nobody notices but by the vectors."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from shared.embedding import DIMENSIONS
from shared.embedding.worker import AT_ONCE, PART, Embedder
from shared.errors import JobError, UnavailableError
from tests.shared.embedding import fake_serve
from tests.shared.embedding.conftest import CACHE, TEXTS, loaded

TOO_LONG = 60.0  # seconds
FAKE = (sys.executable, fake_serve.__file__)


@pytest.fixture
async def embedder(tmp_path: Path) -> AsyncIterator[Embedder]:
    """With a worker that obeys its texts."""
    os.mkfifo(tmp_path / "pipe")
    one = Embedder("fp32", tmp_path, program=FAKE)
    yield one
    await one.stop()


def processes(folder: Path) -> list[int]:
    """The ids of all that were started, oldest first."""
    return [int(line) for line in (folder / "processes").read_text().split()]


def batches(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "batches").read_text().splitlines()]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TOO_LONG):
        while not condition():  # noqa: ASYNC110  what another process does is no event here
            await asyncio.sleep(0)


async def blocked(embedder: Embedder, folder: Path) -> "asyncio.Task[object]":
    """Someone who waits for a text that the worker is busy with, until `release`."""
    task = asyncio.create_task(embedder.encode(["wait"]))
    await until((folder / "batches").exists)
    return task


async def release(folder: Path) -> None:
    await asyncio.to_thread((folder / "pipe").write_text, "go on")


async def test_vectors_come_from_another_process_as_they_are_made_here() -> None:
    embedder = Embedder("fp32", CACHE)
    try:
        found = await embedder.encode(TEXTS)
        assert await embedder.name() == "minilm-fp32"
    finally:
        await embedder.stop()

    assert found is not None
    assert found.tobytes() == loaded("fp32").encode(TEXTS).tobytes()


async def test_without_weights_there_are_no_vectors_and_no_process() -> None:
    embedder = Embedder("none")

    await embedder.verify()
    embedder.start()

    assert await embedder.encode(["x"]) is None
    assert await embedder.name() == ""
    await embedder.stop()


async def test_rows_are_in_the_order_of_the_texts(embedder: Embedder) -> None:
    """Also of many texts, and of one that is there twice."""
    texts = ["x" * (place % 700) for place in range(PART + AT_ONCE)]

    found = await embedder.encode(texts)

    assert found is not None
    assert found.shape == (len(texts), DIMENSIONS)
    assert found[:, 0].tolist() == [len(text) for text in texts]


async def test_no_texts_have_no_rows(embedder: Embedder) -> None:
    found = await embedder.encode([])

    assert found is not None
    assert found.shape == (0, DIMENSIONS)


async def test_what_many_ask_meanwhile_is_one_batch_and_no_text_is_sent_twice(
    embedder: Embedder, tmp_path: Path
) -> None:
    first = await blocked(embedder, tmp_path)
    asked = [asyncio.create_task(embedder.encode([text, "of all"])) for text in ("a", "bb", "wait")]
    await asyncio.sleep(0)
    await release(tmp_path)
    await asyncio.gather(first, *asked)

    assert batches(tmp_path) == [["wait"], ["a", "of all", "bb"]]
    assert len(processes(tmp_path)) == 1


async def test_a_caller_who_gives_up_takes_nothing_from_the_others(embedder: Embedder, tmp_path: Path) -> None:
    first = await blocked(embedder, tmp_path)
    gone, stays = (asyncio.create_task(embedder.encode(["shared"])) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await release(tmp_path)
    await first

    found = await stays
    assert gone.cancelled()
    assert found is not None
    assert found[0, 0] == len("shared")


async def test_a_process_that_dies_is_replaced_and_its_texts_are_tried_again(
    embedder: Embedder, tmp_path: Path
) -> None:
    found = await embedder.encode(["x", "die once"])

    assert found is not None
    assert found[:, 0].tolist() == [1, 8]
    assert len(processes(tmp_path)) == 2


async def test_texts_that_kill_every_process_are_an_error_and_the_others_go_on(embedder: Embedder) -> None:
    with pytest.raises(JobError, match=r"makes vectors died \(exit code \d+\): is there enough memory"):
        await embedder.encode(["die"])

    found = await embedder.encode(["x"])
    assert found is not None
    assert found[0, 0] == 1


async def test_weights_that_do_not_work_are_said_until_they_do(embedder: Embedder, tmp_path: Path) -> None:
    """To those who ask and to the health check; a repair needs no restart."""
    (tmp_path / "broken").write_text("The weights are other ones: install them again.")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="install them again"):
            await embedder.encode(["x"])
    with pytest.raises(UnavailableError, match="install them again"):
        await embedder.check()

    (tmp_path / "broken").unlink()

    assert await embedder.encode(["x"]) is not None
    await embedder.check()


async def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    embedder = Embedder("fp32", tmp_path, program=[str(tmp_path / "missing")])

    with pytest.raises(UnavailableError, match="No process can be started"):
        await embedder.encode(["x"])
    await embedder.stop()


async def test_stop_ends_the_process_and_whoever_waits(embedder: Embedder, tmp_path: Path) -> None:
    waiting = await blocked(embedder, tmp_path)
    behind = asyncio.create_task(embedder.encode(["x"]))
    await asyncio.sleep(0)

    await embedder.stop()

    for task in (waiting, behind):
        with pytest.raises(UnavailableError, match="has been stopped"):
            await task
    with pytest.raises(UnavailableError, match="has been stopped"):
        await embedder.encode(["y"])
    assert not any(psutil.pid_exists(number) for number in processes(tmp_path))


async def test_stop_while_the_process_starts(tmp_path: Path) -> None:
    embedder = Embedder("fp32", tmp_path, program=FAKE)
    waiting = asyncio.create_task(embedder.encode(["x"]))
    await asyncio.sleep(0)

    await embedder.stop()

    with pytest.raises(UnavailableError):
        await waiting


async def test_a_process_that_nobody_needs_ends_and_comes_again(tmp_path: Path) -> None:
    embedder = Embedder("fp32", tmp_path, idle=0.001, program=FAKE)
    before = await embedder.encode(["x"])
    await until(lambda: not psutil.pid_exists(processes(tmp_path)[0]))

    after = await embedder.encode(["x"])

    assert np.array_equal(before, after)  # type: ignore[arg-type]
    assert len(processes(tmp_path)) == 2
    await embedder.stop()


async def test_a_process_can_be_started_before_anyone_asks(embedder: Embedder, tmp_path: Path) -> None:
    embedder.start()
    embedder.start()
    await until((tmp_path / "batches").exists)

    await embedder.encode(["x"])

    assert batches(tmp_path) == [[""], ["x"]]
    assert len(processes(tmp_path)) == 1
