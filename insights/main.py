"""Where the console script begins: nothing heavy is imported before Ctrl-C has its answer."""

import os
import signal
from types import FrameType

STOPPED = "Stopped. The same command goes on where it was."
INTERRUPTED = 130


def main() -> None:
    signal.signal(signal.SIGINT, _stop)
    from insights.cli import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _stop(number: int, frame: FrameType | None) -> None:
    """While modules are imported there is nothing to tidy up, and an exception would show as a traceback."""
    os.write(2, f"{STOPPED}\n".encode())
    os._exit(INTERRUPTED)
