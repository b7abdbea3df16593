"""The command `insights` as its user runs it: in this process where that will do, else as a process of its own."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from insights.cli import main

SCRIPT = Path(sys.executable).with_name("insights")


@dataclass(frozen=True)
class Outcome:
    """What a person sees: the exit code, and both streams as text."""

    code: int
    out: str
    err: str


def insights(*arguments: str | Path, stdin: bytes = b"", settings: Mapping[str, str] | None = None) -> Outcome:
    """The command in this process. An exception that the command does not turn into a sentence fails the test."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(clean_environment()):
            patch.delenv(name)
        for name, value in {"COLUMNS": "200", **(settings or {})}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["insights", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as end:
            main()
    return Outcome(_code(end.value), _text(out), _text(err))


def started(*arguments: str | Path, settings: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """The console script as a process of its own; whoever starts it ends it."""
    return subprocess.Popen(
        [str(SCRIPT), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=clean_environment() | dict(settings or {}),
    )


def clean_environment() -> dict[str, str]:
    """This process's, without the settings and keys of the person who runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("INSIGHTS_", "OPENAI_"))}


def _code(end: SystemExit) -> int:
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")
