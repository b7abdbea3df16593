"""A server that runs beside the tests as a process of its own, on loopback, and is gone when they are."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
READY_SECONDS = 60.0
STOP_SECONDS = 20.0


class Process:
    """`command` in a process group of its own; what it prints is in `log`. It may be started again once it ended."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.command = command
        self.log = log
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self, ready: Callable[[], bool]) -> None:
        """Return when `ready` says so. RuntimeError with the end of the log if it ends before or takes too long."""
        if self.running:
            raise RuntimeError(f"{self.command[0]} runs already.")
        self.log.write_bytes(b"")
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), *self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until(ready)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Orderly, by SIGTERM; killed if that takes longer than STOP_SECONDS."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """At once and without a chance to tidy up, by SIGKILL. Its port is free on return."""
        self._end(signal.SIGUSR1)

    def printed(self, line: str) -> bool:
        return line in self.log.read_text(errors="replace").splitlines()

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if not self.running or time.monotonic() > deadline:
                end = self.log.read_text(errors="replace")[-2_000:]
                raise RuntimeError(f"{self.command[0]} did not start. The end of {self.log}:\n{end}")
            time.sleep(0.02)

    def _end(self, number: signal.Signals) -> None:
        popen = self._popen
        if popen is None:
            return
        popen.send_signal(number)
        try:
            popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # gone; macOS refuses a group of zombies
                os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            if popen.stdin is not None:
                popen.stdin.close()


def free_port() -> int:
    """A free port of loopback below the ephemeral ones: while its server is down, nobody else is given it.

    A client that tries an ephemeral port on which nobody listens may even connect to itself.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("No free port between 20000 and 32000: end the servers that earlier tests left.")


def answers(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
