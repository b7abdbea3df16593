"""The servers as containers, where a Docker engine answers."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

ANSWER_SECONDS = 5


@cache
def docker_answers() -> bool:
    """Whether there is an engine, not only the command."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        asked = subprocess.run([docker, "info"], capture_output=True, timeout=ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


@contextmanager
def container(image: str, port: int, *, inside: int, env: Mapping[str, str], line: str) -> Iterator[None]:
    """`image` with its port `inside` at `port` of loopback, from when it has printed `line`.

    testcontainers' reaper removes it, too, if this process is killed.
    """
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    server = DockerContainer(image, env=dict(env)).waiting_for(LogMessageWaitStrategy(line))
    cast(dict[str, Any], server.ports)[f"{inside}/tcp"] = ("127.0.0.1", port)
    with server:
        yield
