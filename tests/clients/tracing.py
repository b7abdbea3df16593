"""What the checks inside a client's environment share: the client as its mode has it, and what it was answered.

Modes, in the environment variable MODE: zstd, plain (multipart without compression), single (no batches).
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import requests
from langsmith import Client, __version__
from langsmith.run_helpers import tracing_context

OLDEST = __version__ == "0.4.42"
MODE = os.environ.get("MODE", "zstd")
_RUN = re.compile(rb'name="(?:post|patch)\.([0-9a-f-]{36})"')


class Heard(requests.Session):
    """A session that remembers the way of each request and the status of its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, str, int]] = []  # path, Content-Encoding, status
        self.run_ids: set[str] = set()  # of runs in plain multipart bodies that were taken in
        self.hooks["response"].append(self._hear)

    def _hear(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        sent = answer.request
        self.answers.append((sent.path_url, str(sent.headers.get("Content-Encoding", "")), answer.status_code))
        if answer.status_code == 202 and isinstance(sent.body, bytes):
            self.run_ids |= {found.decode() for found in _RUN.findall(sent.body)}


SESSION = Heard()
CLIENT = Client(session=SESSION, auto_batch_tracing=MODE != "single")
_ = CLIENT.info  # read before the first run, so that runs are compressed from the first on


@contextmanager
def traced() -> Iterator[str]:
    """The name of a new project, which what runs inside is traced to; it is all sent when this ends."""
    project = f"checks-{uuid4()}"
    with tracing_context(client=CLIENT, project_name=project, enabled=True):
        yield project
    CLIENT.flush()


def listed(project: str, **wanted: Any) -> list[Any]:
    return list(CLIENT.list_runs(project_name=project, **wanted))


def tree(project: str) -> Any:
    """The only root of the project, with its children."""
    [root] = listed(project, is_root=True)
    return CLIENT.read_run(root.id, load_child_runs=True)
