"""The greatest memory that a process and all below it had."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Done:
    seconds: float
    memory: int  # bytes of the tree; a page that two processes share counts half in each, where the system tells (PSS)
    output: str


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Done:
    """The command to its end, its standard output, and the greatest of a look every fifth of a second."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    most = [0]
    watch = threading.Thread(target=_watch, args=(process, most))
    watch.start()
    output = process.communicate()[0]
    seconds = time.monotonic() - begun
    watch.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return Done(seconds, most[0], output)


def _watch(process: "subprocess.Popen[str]", most: list[int]) -> None:
    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        for one in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += _own(one)
        most[0] = max(most[0], total)
        time.sleep(0.2)


def _own(process: psutil.Process) -> int:
    found = process.memory_full_info()
    return int(getattr(found, "pss", found.rss))
