"""What can be made again, kept in the user's cache: made once, then mapped by every process that reads it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs


def user_folder() -> Path:
    return Path(platformdirs.user_cache_dir("insights"))


def kept(file: Path, make: Callable[[Path], None]) -> Path:
    """`file`, whose folder `make` fills if the file is missing. Raises OSError where it can't be written.

    The folder is made under another name, and gets its own when it is whole: of two processes that make it at once,
    the second finds the name taken and uses what the first has made.
    """
    if not file.is_file():
        _make(file, make)
    return file


def _make(file: Path, make: Callable[[Path], None]) -> None:
    folder = file.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    try:
        make(unfinished)
        unfinished.chmod(0o755)  # as any folder; it was made for its owner alone
        os.rename(unfinished, folder)
    except OSError:
        if not file.is_file():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
