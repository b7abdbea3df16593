"""Attributes, categories and the size of the tree as they are written on the command line."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from shared.errors import UsageError

ATTRIBUTE = "'user_satisfied: boolean: was the user happy at the end'"
GIVEN_VALUES = "'topic: categorical(billing|login|other): what it is about'"
CATEGORY = "'Billing: invoices, refunds'"
HIERARCHY = "auto,10 (ten categories), 30,8 (30 subcategories in eight categories) or 12,auto"
EXAMPLES = 'Billing: ["Where is my invoice?", "I want my money back"]'
FILTER = "'refund: boolean(filter): is it about a refund'"
FILTER_TYPE = "boolean(filter)"
TYPES = ("boolean", FILTER_TYPE, "number", "string")
_CATEGORICAL = re.compile(r"categorical\s*\((.*)\)", re.DOTALL)


def attributes_of(given: Sequence[str] | None) -> dict[str, Any] | None:
    """`name: type: description` each, as job.yaml has them. UsageError names what is wrong."""
    if not given:
        return None
    found: dict[str, Any] = {}
    for text in given:
        name, schema = _attribute(text)
        if name in found:
            raise UsageError(f"--attribute {name} is given twice: give each name once.")
        found[name] = schema
    return found


def _attribute(text: str) -> tuple[str, dict[str, Any]]:
    name, _, rest = text.partition(":")
    name, rest = name.strip(), rest.strip()
    if not name or " " in name or not rest:
        raise UsageError(f"--attribute {text!r}: expected name: type: description, such as {ATTRIBUTE}.")
    if rest.startswith("categorical"):
        return name, _categorical(text, rest)
    kind, _, description = rest.partition(":")
    kind = " ".join(kind.split()).replace(" (", "(")
    if kind not in TYPES:
        raise UsageError(
            f"--attribute {text!r}: {kind!r} is no type. Known are {', '.join(TYPES)} and categorical(a|b|c), such as "
            f"{GIVEN_VALUES}."
        )
    filters = {"filter_by": True} if kind == FILTER_TYPE else {}
    return name, {"type": kind.removesuffix("(filter)"), "description": description.strip(), **filters}


def _categorical(text: str, rest: str) -> dict[str, Any]:
    """The values stand in brackets, and may hold colons."""
    kind, closed, description = rest.partition(")")
    found = _CATEGORICAL.fullmatch(kind + closed)
    values = [value.strip() for value in found[1].split("|")] if found else []
    description = description.strip()
    if not values or not all(values) or (description and not description.startswith(":")):
        raise UsageError(f"--attribute {text!r}: expected values in brackets with | between them: {GIVEN_VALUES}.")
    if len(set(values)) < len(values):
        raise UsageError(f"--attribute {text!r} has a value twice: give each once.")
    return {"type": "string", "enum": values, "description": description.removeprefix(":").strip()}


def categories_of(given: Sequence[str] | None) -> dict[str, str] | None:
    """`name: description` each, or a name alone."""
    if not given:
        return None
    found: dict[str, str] = {}
    for text in given:
        name, _, description = (part.strip() for part in text.partition(":"))
        if not name:
            raise UsageError(f"--category {text!r}: expected name: description, such as {CATEGORY}.")
        if name in found:
            raise UsageError(f"--category {name!r} is given twice: give each name once.")
        found[name] = description
    return found


def examples_of(file: Path | None) -> dict[str, Any] | None:
    """A YAML file of a few texts for each category."""
    if file is None:
        return None
    found = yaml_of(file)
    lists = isinstance(found, dict) and all(
        isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in found.values()
    )
    if not lists:
        raise UsageError(f"{file}: expected a list of texts for each category, such as {EXAMPLES}.")
    return {str(name): texts for name, texts in found.items()}


def hierarchy_of(given: str | None) -> tuple[int | None, int | None] | None:
    """Leaves and top level; None for automatic."""
    if given is None:
        return None
    parts = [part.strip() for part in given.split(",")]
    if len(parts) != 2 or not all(part == "auto" or _is_count(part) for part in parts):
        raise UsageError(f"--hierarchy {given!r}: expected subcategories,categories, such as {HIERARCHY}.")
    leaves, top = (None if part == "auto" else int(part) for part in parts)
    return leaves, top


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 7 and int(text) > 0


def yaml_of(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
