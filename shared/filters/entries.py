"""Conditions on one entry of a run's metadata, inputs, outputs or feedback: a key and the value under it.

What stands in one `and` is said of the same entry; a further key begins the next one. `neq` alone says that there is
no such entry: neq(key) the key is absent, neq(key) with neq(value) neither is there. Beside something else it says what
the entry is not: eq(key) with neq(value) is the key with another value, neq(key) with eq(value) the value elsewhere.

The key of what lies deeper is its path with dots, through lists: `messages.content`. A value is compared as a text, or
as a number with a number. Of several scores of one feedback key their mean is compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.filters.texts import unsaid
from shared.filters.values import ORDER, Kind, Scalar, like, quoted, rendered
from shared.models import BodyPart, Run

MAX_KEY = 1_000  # characters: a longer path is not looked at


@dataclass(frozen=True, slots=True)
class Family:
    """`key` and `value` are the names in filters; entries lie in this body, or else in the run itself."""

    key: str
    value: str
    value_kind: Kind = "any"
    part: BodyPart | None = None


FAMILIES = (
    Family("metadata_key", "metadata_value"),
    Family("input_key", "input_value", part="inputs"),
    Family("output_key", "output_value", part="outputs"),
    Family("feedback_key", "feedback_score", value_kind="number"),
)
FAMILY_OF: Mapping[str, Family] = {name: family for family in FAMILIES for name in (family.key, family.value)}


@dataclass(frozen=True, slots=True)
class Condition:
    """eq, neq, gt, gte, lt, lte, like or search with a value; `in` with several."""

    field: str
    comparator: str
    value: Scalar | tuple[Scalar, ...]

    @property
    def kind(self) -> Kind:
        family = FAMILY_OF[self.field]
        return "text" if self.field == family.key else family.value_kind

    @property
    def is_key(self) -> bool:
        return self.field == FAMILY_OF[self.field].key

    def holds(self, found: Any) -> bool:
        wanted = self.value
        if isinstance(wanted, tuple):
            return any(_equal(found, one) for one in wanted)
        if self.comparator in ("eq", "neq"):
            return _equal(found, wanted) == (self.comparator == "eq")
        if self.comparator in ("like", "search"):
            text, wanted = _text(found), str(wanted)
            if text is None:
                return False
            return like(wanted).fullmatch(text) is not None if self.comparator == "like" else not unsaid(wanted, [text])
        other = _number(found) if isinstance(wanted, int | float) else _text(found)
        return other is not None and ORDER[self.comparator](other, wanted)

    def render(self) -> str:
        if isinstance(self.value, tuple):
            value = f"[{', '.join(rendered(self.kind, one) for one in self.value)}]"
        else:
            value = quoted(self.value) if isinstance(self.value, str) else rendered(self.kind, self.value)
        return f"{self.comparator}({self.field}, {value})"


@dataclass(frozen=True, slots=True)
class Entry:
    """Conditions on one entry: of its key at most one, of its value any number, at least one in all."""

    family: Family
    conditions: tuple[Condition, ...]

    @property
    def parts(self) -> frozenset[BodyPart]:
        return frozenset({self.family.part} if self.family.part else ())

    @property
    def has_key(self) -> bool:
        return any(condition.is_key for condition in self.conditions)

    def matches(self, run: Run, bodies: Mapping[BodyPart, Any] | None = None) -> bool | None:
        if self.family.part and bodies is None:
            return None
        if all(condition.comparator == "neq" for condition in self.conditions):
            denied = [replace(condition, comparator="eq") for condition in self.conditions]
            return not any(_holds(one, entry) for one in denied for entry in self._entries(run, bodies, (one,)))
        return any(
            all(_holds(condition, entry) for condition in self.conditions)
            for entry in self._entries(run, bodies, self.conditions)
        )

    def _entries(
        self, run: Run, bodies: Mapping[BodyPart, Any] | None, conditions: tuple[Condition, ...]
    ) -> Iterator[tuple[str, Any]]:
        if self.family.value == "feedback_score":
            return ((key, found.avg) for key, found in run.feedback.items())
        keys = next((one.value for one in conditions if one.is_key and one.comparator in ("eq", "in")), None)
        value = (bodies or {}).get(self.family.part) if self.family.part else run.metadata
        return entries(value, keys if isinstance(keys, tuple) or keys is None else (keys,))

    def render(self) -> str:
        return ", ".join(condition.render() for condition in self.conditions)


def joined(items: list[Any]) -> list[Any]:
    """The items of one `and`, each family's conditions put together: a further key begins the next entry."""
    found: list[Any] = []
    latest: dict[Family, int] = {}
    for item in items:
        place = latest.get(item.family) if isinstance(item, Entry) else None
        if place is not None and not (item.has_key and found[place].has_key):
            found[place] = Entry(item.family, found[place].conditions + item.conditions)
            continue
        if isinstance(item, Entry):
            latest[item.family] = len(found)
        found.append(item)
    return found


def entries(value: Any, keys: tuple[Scalar, ...] | None = None) -> Iterator[tuple[str, Any]]:
    """Path and value of all that lies inside, elements of a list under its own path; of these keys, if any is given."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, list | tuple) and one:
            waiting.extend((path, inner) for inner in reversed(one))
            continue
        if path or not isinstance(one, dict):
            yield path, one
        if not isinstance(one, dict):
            continue
        for key, inner in one.items():
            below = f"{path}.{key}" if path else key
            if len(below) <= MAX_KEY and (keys is None or any(_leads(below, wanted) for wanted in keys)):
                waiting.append((below, inner))


def _leads(path: str, wanted: Scalar) -> bool:
    return isinstance(wanted, str) and wanted.startswith(path) and wanted[len(path) : len(path) + 1] in ("", ".")


def _holds(condition: Condition, entry: tuple[str, Any]) -> bool:
    return condition.holds(entry[0] if condition.is_key else entry[1])


def _equal(found: Any, wanted: Scalar) -> bool:
    if wanted is None or found is None:
        return found is wanted
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return _number(found) == wanted
    return _text(found) == ({True: "true", False: "false"}[wanted] if isinstance(wanted, bool) else wanted)


def _text(found: Any) -> str | None:
    """A value as a text; none of what holds others, is null, or is too long to be written."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int) and found.bit_length() > 4_096:  # Python refuses to write longer ones
        return None
    return str(found) if isinstance(found, str | int | float) else None


def _number(found: Any) -> int | float | None:
    if isinstance(found, str):
        try:
            return float(found) if len(found) < 40 else None
        except ValueError:
            return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
