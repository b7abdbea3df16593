"""A text file that appears whole or not at all."""

import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from shared.errors import UsageError

Write = Callable[[str], object]


@contextmanager
def output(path: Path | None, encoding: str = "ascii") -> Iterator[Write]:
    """What writes text to `path`, or to standard output where it is None.

    The file takes its place in one step when the block ends, and an error leaves what was there before. UsageError
    where it can't be written.
    """
    if path is None:
        yield sys.stdout.write
        sys.stdout.flush()
    elif path.exists() and not path.is_file():  # a device or a pipe must not be replaced by a file
        with _told(path):
            file = path.open("w", encoding=encoding)
        with file:
            yield partial(_write, path, file)
    else:
        with _replaced(path, encoding) as write:
            yield write


def check_writable(path: Path) -> None:
    """UsageError, before the work, where `output` could not write afterwards; `-` is standard output."""
    if str(path) == "-":
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it.")
    if not os.access(path if path.exists() else path.resolve().parent, os.W_OK):
        raise UsageError(f"{path} cannot be written: name a file in a folder that is there and yours.")


def check_new(path: Path, *, force: bool) -> None:
    """UsageError, before the work, for a file that is there already, or can't be written; `force` takes the former."""
    check_writable(path)
    if path.is_file() and not force:
        raise UsageError(f"{path} is there already: name another file, or add --force to write over it.")


@contextmanager
def _replaced(path: Path, encoding: str) -> Iterator[Write]:
    target = path.resolve()  # a link stays a link
    beside = target.with_name(f".insights-{uuid.uuid4().hex}.tmp")
    with _told(path):
        file = beside.open("x", encoding=encoding)
    try:
        yield partial(_write, path, file)
        with _told(path):
            _finish(file, beside, target)
    finally:
        with _told(path):
            beside.unlink(missing_ok=True)
            file.close()


def _finish(file: TextIO, beside: Path, target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    if target.exists():
        shutil.copymode(target, beside)
    os.replace(beside, target)


def _write(path: Path, file: TextIO, text: str) -> None:
    with _told(path):
        file.write(text)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """An error of the file system as a sentence; others, as the store's, are not touched."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"{path} cannot be written ({why}): name a file in a folder that is there.") from error
