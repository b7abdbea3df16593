"""deploy/Dockerfile installs a program that works: its lines, here in an empty virtual environment."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT, instructions
from tests.insights.command import clean_environment

HOME = "/opt/insights"  # the virtual environment of the image


def build_lines() -> list[tuple[str, str]]:
    """The instructions of the first stage."""
    found = instructions()
    ends = [place for place, (word, _) in enumerate(found) if word == "FROM"]
    return list(found[ends[0] + 1 : ends[1]])


def copied(sources: Path) -> None:
    """What the first stage copies, as far as .dockerignore lets it."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*", "all is left out but what is named"
    for _, rest in [line for line in build_lines() if line[0] == "COPY"]:
        *names, target = rest.split()
        for name in names:
            assert f"!{name}" in ignored, f".dockerignore leaves {name} out, which the Dockerfile copies"
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, sources / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, sources / target)


def install(lines: list[str], folder: Path, sources: Path) -> None:
    for line in lines:
        command = shlex.split(line.replace(HOME, str(folder)).replace("RUN ", ""))
        command[0] = sys.executable if command[0] == "python" else command[0]
        done = subprocess.run(command, cwd=sources, env=clean_environment(), capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout[-1_000:]}{done.stderr[-2_000:]}"


def demo(folder: Path, work: Path) -> str:
    """What the installed command prints, far from this checkout."""
    environment = {key: one for key, one in clean_environment().items() if key != "PYTHONPATH"}
    command = [str(folder / "bin" / "insights"), "demo", "--traces", "30", "--data", str(work / "data")]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def runs() -> list[str]:
    return [rest for word, rest in build_lines() if word == "RUN"]


def test_what_the_image_copies_is_the_whole_program(tmp_path: Path) -> None:
    """With the libraries of the tests: the lock's are installed by the test below."""
    sources, folder = tmp_path / "src", tmp_path / "venv"
    sources.mkdir()
    copied(sources)
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "uninstall", "-q", "-y", "setuptools"], check=True)  # older than the lock's
    site = sysconfig.get_path("purelib", vars={"base": str(folder)})
    Path(site, "libraries.pth").write_text(sysconfig.get_path("purelib"))
    install(runs()[-1:], folder, sources)
    assert "traces in" in demo(folder, tmp_path)


@pytest.mark.timeout(600)
def test_the_image_installs_from_the_lock_alone(tmp_path: Path) -> None:
    if os.environ.get("CI") != "true":
        pytest.skip("it takes minutes and the network: CI=true does it")
    sources, folder = tmp_path / "src", tmp_path / "venv"
    sources.mkdir()
    copied(sources)
    install(runs(), folder, sources)
    assert "traces in" in demo(folder, tmp_path)


def test_the_image_is_pinned_and_runs_as_nobody_in_particular() -> None:
    bases = [rest for word, rest in instructions() if word == "FROM"]
    assert all(re.match(r"python:3\.\d+\.\d+-slim", base) for base in bases)
    assert [rest for word, rest in instructions() if word == "USER"] == ["10001:10001"]
    locked = [line for line in runs() if "requirements.lock" in line]
    assert all("--no-deps" in line and "--require-hashes" in line for line in locked)
    assert locked
