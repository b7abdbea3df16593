"""The syntax tree of a filter. What depends on bodies that nobody has read yet is None, and what is made of it, too."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.filters.entries import Entry
from shared.filters.fields import FIELDS
from shared.filters.texts import texts, unsaid
from shared.filters.values import ORDER, Scalar, like, quoted, rendered, same
from shared.models import BodyPart, Run

Bodies = Mapping[BodyPart, Any] | None
NO_PARTS: frozenset[BodyPart] = frozenset()


@dataclass(frozen=True, slots=True)
class And:
    items: tuple["Node", ...]

    @property
    def parts(self) -> frozenset[BodyPart]:
        return NO_PARTS.union(*(item.parts for item in self.items))

    def matches(self, run: Run, bodies: Bodies = None) -> bool | None:
        unknown = False
        for item in self.items:
            found = item.matches(run, bodies)
            if found is False:
                return False
            unknown = unknown or found is None
        return None if unknown else True

    def render(self) -> str:
        return f"and({', '.join(item.render() for item in self.items)})"


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple["Node", ...]

    @property
    def parts(self) -> frozenset[BodyPart]:
        return NO_PARTS.union(*(item.parts for item in self.items))

    def matches(self, run: Run, bodies: Bodies = None) -> bool | None:
        unknown = False
        for item in self.items:
            found = item.matches(run, bodies)
            if found:
                return True
            unknown = unknown or found is None
        return None if unknown else False

    def render(self) -> str:
        return f"or({', '.join(item.render() for item in self.items)})"


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"

    @property
    def parts(self) -> frozenset[BodyPart]:
        return self.item.parts

    def matches(self, run: Run, bodies: Bodies = None) -> bool | None:
        found = self.item.matches(run, bodies)
        return None if found is None else not found

    def render(self) -> str:
        return f"not({self.item.render()})"


class _OfRun:
    """A node that needs no body."""

    __slots__ = ()

    @property
    def parts(self) -> frozenset[BodyPart]:
        return NO_PARTS


@dataclass(frozen=True, slots=True)
class Compare(_OfRun):
    """eq, neq, gt, gte, lt or lte. A time is µs since 1970, a duration seconds; null only with eq and neq."""

    comparator: str
    field: str
    value: Scalar

    def matches(self, run: Run, bodies: Bodies = None) -> bool:
        known = FIELDS[self.field].read(run)
        if self.value is None:
            return bool(known) == (self.comparator == "neq")
        if self.comparator == "neq":
            return self.value not in known
        return any(ORDER[self.comparator](value, self.value) for value in known)

    def render(self) -> str:
        return f"{self.comparator}({self.field}, {rendered(FIELDS[self.field].kind, self.value)})"


@dataclass(frozen=True, slots=True)
class In(_OfRun):
    field: str
    values: tuple[Scalar, ...]

    def matches(self, run: Run, bodies: Bodies = None) -> bool:
        known = FIELDS[self.field].read(run)
        return any(value in self.values for value in known) if known else None in self.values

    def render(self) -> str:
        kind = FIELDS[self.field].kind
        return f"in({self.field}, [{', '.join(rendered(kind, value) for value in self.values)}])"


@dataclass(frozen=True, slots=True)
class Like(_OfRun):
    field: str
    pattern: str

    def matches(self, run: Run, bodies: Bodies = None) -> bool:
        return any(like(self.pattern).fullmatch(value) for value in FIELDS[self.field].read(run))

    def render(self) -> str:
        return f"like({self.field}, {quoted(self.pattern)})"


@dataclass(frozen=True, slots=True)
class HasTag(_OfRun):
    tag: str

    def matches(self, run: Run, bodies: Bodies = None) -> bool:
        return self.tag in run.tags

    def render(self) -> str:
        return f"has(tags, {quoted(self.tag)})"


@dataclass(frozen=True, slots=True)
class HasPairs(_OfRun):
    """The metadata holds each of these keys with an equal value: 1 equals 1.0, but neither true nor "1"."""

    pairs: Mapping[str, Any]

    def matches(self, run: Run, bodies: Bodies = None) -> bool:
        return all(key in run.metadata and same(run.metadata[key], value) for key, value in self.pairs.items())

    def render(self) -> str:
        return f"has(metadata, {quoted(json.dumps(self.pairs, ensure_ascii=False))})"


@dataclass(frozen=True, slots=True)
class HasKey(_OfRun):
    key: str

    def matches(self, run: Run, bodies: Bodies = None) -> bool:
        return self.key in run.metadata

    def render(self) -> str:
        return f"exists(metadata, {quoted(self.key)})"


IN_BODIES: Mapping[str, BodyPart] = {"error": "error", "inputs": "inputs", "outputs": "outputs"}
SEARCHED = ("name", "error", "tags", "metadata", "inputs", "outputs")


@dataclass(frozen=True, slots=True)
class Search:
    """Every word of `text` is said in this field, or somewhere in those of SEARCHED; whatever its case."""

    field: str | None
    text: str

    @property
    def parts(self) -> frozenset[BodyPart]:
        return frozenset(IN_BODIES[name] for name in self._fields() if name in IN_BODIES)

    def matches(self, run: Run, bodies: Bodies = None) -> bool | None:
        missing = unsaid(self.text, self._told(run))
        if not missing or not self.parts:
            return not missing
        if bodies is None:
            return None
        return not unsaid(" ".join(missing), texts([bodies.get(part) for part in sorted(self.parts)]))

    def _fields(self) -> tuple[str, ...]:
        return SEARCHED if self.field is None else (self.field,)

    def _told(self, run: Run) -> Iterator[str]:
        """The texts that the run has without its bodies."""
        for name in self._fields():
            value: Iterable[Any] = FIELDS[name].read(run) if name in FIELDS else (getattr(run, name, None),)
            yield from texts(list(value))

    def render(self) -> str:
        return f"search({self.field + ', ' if self.field else ''}{quoted(self.text)})"


Node = And | Or | Not | Compare | In | Like | HasTag | HasPairs | HasKey | Search | Entry
