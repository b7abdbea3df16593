"""A real `insights up`, and official clients in environments of their own that call it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks.environment import made
from benchmarks.sets import Missing
from tests.insights.command import clean_environment

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
UP = "import sys; sys.argv[0] = 'insights'; from insights.main import main; main()"
OLDEST, NEWEST = "langsmith-0.4.42", "langsmith"


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The API's URL and the process. By words alone: what the vectors find is not looked at here."""
    command = [sys.executable, "-c", UP, "up", "--port", str(port), "--data", str(folder)]
    environment = clean_environment() | {"INSIGHTS_EMBEDDING": "none"}
    with (
        (folder / "log").open("a") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            ready = re.search(r"ready on (http://\S+)", process.stdout.readline())
            assert ready is not None, (folder / "log").read_text()
            yield f"{ready[1]}/api", process
        finally:
            process.kill()


def python_of(client: str) -> Path:
    """Of the client's environment; see `absent` where it can't be made."""
    try:
        return made(client, HERE / f"{client}.lock")
    except Missing as missing:
        absent(str(missing))


def absent(reason: str) -> NoReturn:
    """A client can't be had: skipped on a developer's machine, failed in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
