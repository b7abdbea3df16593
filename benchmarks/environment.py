"""Virtual environments of the tools we are compared with: they are of no use to the product."""

import subprocess
import sys
from pathlib import Path

from benchmarks.sets import Missing

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
_ENVIRONMENTS = HERE.parent / ".cache"


def python_of(peer: str) -> Path:
    """The Python of the environment that holds `peers/{peer}.lock`: see `made`."""
    return made(peer, PEERS / f"{peer}.lock")


def made(name: str, lock: Path) -> Path:
    """The Python of the environment that holds the lock; made on the first call, again for a newer lock.

    Raises Missing where it can't be installed.
    """
    environment = _ENVIRONMENTS / name
    python = environment / "bin" / "python"
    done = environment / ".installed"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", "--no-deps", "--require-hashes", "-r", lock], check=True)
    except subprocess.CalledProcessError as error:
        raise Missing(f"{name} could not be installed: is the package registry reached?") from error
    done.touch()
    return python
