"""LangSmith's own JavaScript client traces to a running `insights up` and reads back: js/run_tracing.mjs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.up import HERE, ROOT, absent, running
from tests.insights.command import clean_environment

LOCK = HERE / "js" / "package-lock.json"
INSTALLED = ROOT / ".cache" / "langsmith-js"
pytestmark = pytest.mark.timeout(600)


def installed() -> Path:
    """The folder with what the lock names, and the checks; made on the first call, again for a newer lock."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        absent("There is no node or npm here: install both for the checks of the JavaScript client.")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    done = INSTALLED / ".installed"
    if not done.is_file() or done.stat().st_mtime < LOCK.stat().st_mtime:
        for name in ("package.json", LOCK.name):
            shutil.copy(LOCK.with_name(name), INSTALLED)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        made = subprocess.run(npm, cwd=INSTALLED, capture_output=True, text=True, check=False)
        if made.returncode:
            absent(f"The JavaScript client could not be installed: is the package registry reached?\n{made.stderr}")
        done.touch()
    shutil.copy(HERE / "js" / "run_tracing.mjs", INSTALLED)
    return INSTALLED


def test_what_the_javascript_client_traces_is_found_again(tmp_path: Path) -> None:
    folder = installed()
    with running(tmp_path) as (url, _):
        environment = clean_environment() | {"LANGSMITH_ENDPOINT": url, "LANGSMITH_API_KEY": "none"}
        command = ["node", "--no-warnings", "run_tracing.mjs"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
    assert len(re.findall(r"^(?:ok|✔)", ran.stdout, re.MULTILINE)) == 9, ran.stdout
