"""Run a command that never outlives whoever started it: `python leash.py COMMAND…`, leading a process group.

The other end of stdin is its owner's: when the owner is gone, however it went, the whole group is killed. SIGTERM is
handed on, SIGUSR1 kills the command. This process ends when the command is gone, ports and all.
"""

import os
import signal
import subprocess
import sys
import threading

HANDED_ON = {signal.SIGTERM: signal.SIGTERM, signal.SIGUSR1: signal.SIGKILL}


def _wait_for_owner() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def main() -> int:
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    for received, sent in HANDED_ON.items():
        signal.signal(received, lambda *_, sent=sent: os.kill(command.pid, sent))
    threading.Thread(target=_wait_for_owner, daemon=True).start()
    return command.wait()


if __name__ == "__main__":
    os._exit(main() & 0xFF)  # the thread may hold stdin, which an ordinary exit would wait for
