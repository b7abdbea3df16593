"""What a field of a schema is called, and so what kind of value it wants."""

import re
from dataclasses import dataclass
from typing import Literal

from insights.fake_model.words import STOP, content_words, stem, words

Kind = Literal["quote", "slug", "name", "description", "summary", "gist", "finding", "text"]

_KINDS: tuple[tuple[Kind, str], ...] = (
    ("finding", "finding|insight|point|fact|takeaway"),
    ("quote", "quote|verbatim|excerpt|evidence|citation"),
    ("slug", "slug"),
    ("name", "name|title|label|heading|topic|theme|category|cluster"),
    ("description", "description|explanation|detail"),
    ("summary", "summary"),
    ("gist", "gist|request|task|intent|goal"),
)
_ID_WORDS = "id ids index indices indexes number n no item items i key ref member members leaf leaves place"
_STATED = r"""([^\s"'\\,;()<>{}\[\]][^\n"'\\,;()<>{}\[\]]{0,80})"""
_GENERIC = frozenset(("value", "answer", "result"))
_EMPTY_WORDS = "is was did does has have had user users agent customer assistant whether flag the bool"
_IDS = frozenset(_ID_WORDS.split())
_EMPTY = frozenset(_EMPTY_WORDS.split())


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is its property's, or its parent's where its own says nothing (`value`)."""

    name: str
    description: str = ""

    def child(self, name: str, description: object) -> "Field":
        own = description if isinstance(description, str) else ""
        if name.lower() in _GENERIC:
            return Field(self.name or name, own or self.description)
        return Field(name, own)

    @property
    def kind(self) -> Kind:
        """By the last word of the name that says one: `cluster_name` is a name, `name_quote` a quote."""
        for word in reversed(words(self.name)):
            for kind, pattern in _KINDS:
                if re.search(pattern, word):
                    return kind
        return "quote" if "verbatim" in self.description.lower() else "text"

    @property
    def is_id(self) -> bool:
        last = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name).lower())[-1]
        return last in _IDS

    @property
    def is_named(self) -> bool:
        """Whether data calls other things so: the `name` of a tool says nothing of a category's."""
        return self.name.lower() in ("name", "title", "label")

    @property
    def stems(self) -> frozenset[str]:
        """Of the words in its name that mean something."""
        return frozenset(stem(word) for word in words(self.name) if word not in _EMPTY | STOP)

    @property
    def described(self) -> frozenset[str]:
        return frozenset(stem(word) for word in content_words(self.description) if word not in _EMPTY)

    @property
    def stated(self) -> re.Pattern[str]:
        """`user_satisfied=true`, `"user satisfied": "yes"`, `user-satisfied is 3`, with or without ATTR before it."""
        parts = [re.escape(part) for part in re.split(r"[^A-Za-z0-9]+", self.name) if part] or [r"(?!)"]
        name = r"[ _-]?".join(parts)
        return re.compile(
            rf"""(?i)(?<![A-Za-z0-9]){name}\\?["']?(?:[ ]{{0,3}}[=:][ ]{{0,3}}|[ ]is[ ])\\?["']?{_STATED}"""
        )
