"""Summary prompts that a job may name instead of writing its own, a file each."""

import re
from functools import cache
from pathlib import Path

from shared.errors import PromptError

FOLDER = Path(__file__).parent
_NAME = re.compile(r"[\w-]{1,60}")


def template(given: str) -> str:
    """The template of this name, or what is given if that is one itself. PromptError: there is no such name."""
    if not _NAME.fullmatch(given):
        return given
    if given not in names():
        raise PromptError(
            f"There is no summary prompt {given!r}: name {' or '.join(names())}, or write one with {{{{run.inputs}}}}."
        )
    return _read(given)


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.mustache")))


@cache
def _read(name: str) -> str:
    return (FOLDER / f"{name}.mustache").read_text(encoding="utf-8")
