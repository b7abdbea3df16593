"""One function in a process of its own: heavy work never runs in an event loop, and dies with whoever waits for it."""

import asyncio
import gc
import multiprocessing
import pickle
import signal
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from shared.errors import JobError

T = TypeVar("T")
FORKS = "forkserver" in multiprocessing.get_all_start_methods()


def warm(module: str) -> None:
    """Have the module imported where processes are forked from: imports then cost a job nothing."""
    if FORKS:
        multiprocessing.set_forkserver_preload([module])
        forkserver.ensure_running()


async def run_in_process(function: Callable[..., T], *arguments: Any) -> T:
    """What `function(*arguments)` returns or raises; all of it must pickle. The process is killed on cancellation.

    Raises JobError if the process dies, as it does where memory runs out.
    """
    context = multiprocessing.get_context("forkserver") if FORKS else multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True)
    try:
        await asyncio.to_thread(process.start)
        theirs.close()
        failed, result = await asyncio.to_thread(_exchange, ours, function, arguments)
    except (EOFError, BrokenPipeError, ConnectionResetError) as error:
        process.join(5)
        message = f"The worker process died (exit code {process.exitcode}): is there enough memory?"
        raise JobError(message) from error
    finally:
        if process.is_alive():
            process.kill()
        ours.close()
    if failed:
        raise result
    return result  # type: ignore[no-any-return]


def _exchange(ours: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    ours.send((function, arguments))
    answer: tuple[bool, Any] = ours.recv()
    return answer


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same if it can't be taken to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    except (TypeError, AttributeError, pickle.PicklingError):
        return JobError(f"{type(error).__name__}: {error}")
    return error


def _work(theirs: Connection) -> None:
    gc.freeze()  # what was imported before the fork is never looked through again: its pages stay shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then kills us
    function, arguments = theirs.recv()
    with threadpool_limits(1):  # one thread adds up in one order: the same bytes every time
        try:
            answer = (False, function(*arguments))
        except Exception as error:  # noqa: BLE001  raised again in the parent
            answer = (True, _portable(error))
    theirs.send(answer)
