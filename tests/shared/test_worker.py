"""Heavy work runs in a process of its own, and dies with whoever waits for it."""

import asyncio
import gc
import os
import signal
from operator import truediv
from pathlib import Path

import psutil
import pytest

from shared.errors import JobError
from shared.worker import run_in_process

TOO_LONG = 60.0  # seconds


def tell_and_wait(pipe: str) -> None:
    """Write this process's id, then wait for ever."""
    Path(pipe).write_text(str(os.getpid()))
    signal.pause()


async def test_a_result_comes_from_another_process() -> None:
    assert await run_in_process(os.getpid) != os.getpid()


async def test_what_was_imported_before_is_shared_with_the_worker() -> None:
    """The collector would write into every page of it, and so copy it."""
    assert await run_in_process(gc.get_freeze_count) > 0


async def test_arguments_go_in_and_large_results_come_out() -> None:
    """More than a pipe holds at once, in both directions."""
    large = b"x" * 3_000_000
    assert await run_in_process(bytes.upper, large) == large.upper()


async def test_an_error_of_the_work_is_raised_here_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        await run_in_process(truediv, 1, 0)


async def test_a_worker_that_dies_is_the_error_of_its_job() -> None:
    """As where memory runs out: the sentence has the exit code, and nothing waits for ever."""
    with pytest.raises(JobError, match=r"worker process died \(exit code 3\): is there enough memory"):
        await run_in_process(os._exit, 3)


async def test_a_worker_that_nobody_waits_for_any_more_is_killed(tmp_path: Path) -> None:
    """Nobody would read what it finds. (The event loop goes on meanwhile, or this test would hang.)"""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    task = asyncio.create_task(run_in_process(tell_and_wait, str(pipe)))
    told = await asyncio.wait_for(asyncio.to_thread(pipe.read_text), TOO_LONG)
    worker = psutil.Process(int(told))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(worker.wait, TOO_LONG) in (-signal.SIGKILL, None)
    assert not worker.is_running()
