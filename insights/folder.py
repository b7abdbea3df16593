"""The data folder: local files of one process at a time, which the lock names."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

from shared.errors import UsageError


class HeldError(UsageError):
    """Another process uses the folder; `holder` is what it says of itself: pid, command, and url if it serves one."""

    def __init__(self, folder: Path, holder: dict[str, Any]) -> None:
        who = f"`insights {holder.get('command', '…')}` (process {holder.get('pid', 'unknown')})"
        super().__init__(f"{folder} is in use by {who}: wait for it, or name another folder with --data DIR.")
        self.holder = holder


def data_folder(chosen: Path | None) -> Path:
    """The chosen folder or the user's own, made if it is missing."""
    folder = chosen or Path(platformdirs.user_data_dir("insights"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror}): name another folder with --data DIR.") from error
    return folder.resolve()


@contextlib.contextmanager
def locked(folder: Path, command: str, **more: Any) -> Iterator[None]:
    """The folder for this process alone. Raises HeldError."""
    lock = FileLock(folder / "lock", timeout=0)
    holder = folder / "holder.json"
    try:
        lock.acquire()
    except Timeout as error:
        raise HeldError(folder, _read(holder)) from error
    except OSError as error:
        raise UsageError(f"{folder} cannot be used ({error.strerror}): name another with --data DIR.") from error
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "command": command, **more}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _read(holder: Path) -> dict[str, Any]:
    try:
        found = json.loads(holder.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
