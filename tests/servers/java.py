"""The servers' Java side: jars of Kafka and of MongoDB's protocol, fetched by Maven once for each pom.xml."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

HERE = Path(__file__).parent
SOURCES = ("pom.xml", "MongoTestServer.java")
OLDEST = 17
SMALL = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class NoServerError(Exception):
    """A test server cannot be had on this machine; says what to install or set."""


def java_command(main: str, *arguments: str) -> list[str]:
    """A small JVM that runs `main` with the servers' jars. NoServerError without Java, or Maven at the first time."""
    return [_tool("java"), *SMALL, "-cp", f"{classes()}/*:{classes()}", main, *arguments]


@cache
def classes() -> Path:
    """The folder of jars and compiled classes, made at the first time. NoServerError if it cannot be made."""
    _check_version()
    digest = hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:16]
    folder = user_cache_path("insights-test-servers", ensure_exists=True) / digest
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    """Complete or not at all: it is made beside its place and renamed."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        new = Path(name) / "new"
        shutil.copy(HERE / "pom.xml", name)
        copy = ("-q", "-B", "-f", f"{name}/pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={new}")
        run(_tool("mvn"), *copy)
        run(_tool("javac"), "-cp", f"{new}/*", "-d", str(new), str(HERE / "MongoTestServer.java"))
        new.rename(folder)


def _check_version() -> None:
    found = re.search(r'version "(\d+)', run(_tool("java"), "-version"))
    if found is None or int(found[1]) < OLDEST:
        raise NoServerError(f"The test servers need Java {OLDEST} or newer, not {found and found[1]}: install it.")


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise NoServerError(
            f"{name} was not found. Install a JDK of at least {OLDEST} and Maven, start Docker, "
            "or set INSIGHTS_TEST_KAFKA and INSIGHTS_TEST_MONGO."
        )
    return path


def run(*command: str) -> str:
    """What the command printed. NoServerError with the end of that if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise NoServerError(f"{' '.join(command[:4])} … failed:\n{done.stdout[-1_000:]}")
    return done.stdout


def main() -> None:
    """Fetch what is missing before the tests, whose time is limited; without Java or Maven only say so."""
    try:
        classes()
    except NoServerError as error:
        print(f"No test servers of our own: {error}")


if __name__ == "__main__":
    main()
