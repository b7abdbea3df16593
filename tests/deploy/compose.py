"""docker-compose.yml and deploy/Dockerfile as their engines read them, for tests on a machine without one."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@dataclass(frozen=True)
class Service:
    """A container of our image. `environment`: the image's and the service's, nothing set on the host."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    health: list[str]


def ours() -> dict[str, Service]:
    """Every service of our image by its name."""
    return {name: _service(name, one) for name, one in compose()["services"].items() if "build" in one}


def _service(name: str, one: Mapping[str, Any]) -> Service:
    environment = image_environment() | {key: filled(str(value)) for key, value in one["environment"].items()}
    return Service(name, one["command"], environment, one.get("healthcheck", {}).get("test", []))


def filled(text: str) -> str:
    """With each `${NAME:-default}` at its default."""
    return _VARIABLE.sub(lambda found: found[2], text)


def host_variables() -> set[str]:
    """What the file takes from the environment of whoever starts it."""
    return {found[1] for found in _VARIABLE.finditer((ROOT / "docker-compose.yml").read_text())}


@cache
def instructions() -> tuple[tuple[str, str], ...]:
    """Those of the Dockerfile in their order: the word, and the rest on one line."""
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return tuple((word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines))


def image_environment() -> dict[str, str]:
    pairs = [pair for word, rest in instructions() if word == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs if pair.startswith("INSIGHTS_"))
