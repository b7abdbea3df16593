"""The fixed list of category phrases: names that people give to what other people ask for.

`category_words.txt` has a line "# domain" before the phrases of each, which are separated by semicolons. The phrases of
its first line belong to no domain: they are whole domains themselves.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def category_phrases() -> tuple[str, ...]:
    """Some hundred general names such as "Order changes". A caller may keep their vectors: they are embedded first."""
    return tuple(_domains())


@cache
def domains() -> tuple[str, ...]:
    """The domain of each phrase, such as "Travel requests"; empty for those that are domains themselves."""
    return tuple(_domains().values())


@cache
def _domains() -> Mapping[str, str]:
    text = files("services.categorizer.naming").joinpath("category_words.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    domain = ""
    for line in text.splitlines():
        if line.startswith("#"):
            domain = line.lstrip("# ")
            continue
        for phrase in filter(None, (part.strip() for part in line.split(";"))):
            found.setdefault(phrase, domain)
    return found
