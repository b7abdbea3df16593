"""Lists and objects that attributes spell out: `llm.input_messages.0.message.role` → [{"message": {"role": …}}]."""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 12  # names below the prefix; what is deeper keeps its dots


class _Tree(dict[str, Any]):
    """Told from an attribute that is an object itself."""


def below(attributes: Mapping[str, Any], prefix: str) -> Any:
    """What the attributes below the prefix spell out; None where there are none.

    An object whose names are all numbers is a list, in the order of the numbers: gaps close.
    """
    start = f"{prefix}."
    tree = _Tree()
    for name, value in attributes.items():
        if name.startswith(start):
            *path, last = name[len(start) :].split(".", _DEEPEST)
            place: _Tree = tree
            for step in path:
                inner = place.setdefault(step, _Tree())
                if not isinstance(inner, _Tree):
                    inner = place[step] = _Tree()
                place = inner
            if not isinstance(place.get(last), _Tree):
                place[last] = value
    return _listed(tree) if tree else None


def _listed(value: Any) -> Any:
    if not isinstance(value, _Tree):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    if all(name.isascii() and name.isdigit() and len(name) < 10 for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
