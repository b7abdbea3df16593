"""What is known of every item beside its times and costs, one class for each type: an attribute, or a fact.

Each gives the figure of a group with the rest's inside it, over how many items it is and of how many it is unknown,
and says in which ways it can be compared. A value of another type than the aspect's is unknown.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from services.aggregator.columns import LARGEST, Column, Group
from services.aggregator.contrasts import Contrast, Shares, of_numbers, of_shares
from shared.job_config import AttributeSchema

DISTINCT = 1_000  # an attribute with more values than this is free text, which has no table of values
SHOWN_VALUES = 10
VALUE_LENGTH = 200


class Aspect(ABC):
    """`of` is "attributes" or "facts", `name` that of the attribute or fact."""

    type: ClassVar[str]

    def __init__(self, of: str, name: str) -> None:
        self.of = of
        self.name = name

    @abstractmethod
    def add(self, place: int, value: Any) -> None: ...

    @abstractmethod
    def contrasts(self, group: Group, rest: Group) -> Iterable[Contrast]: ...

    def figure(self, group: Group, rest: Group | None = None) -> dict[str, Any]:
        found = {"type": self.type, **self._figure(group, group)}
        return found if rest is None else {**found, "rest": self._figure(rest, group)}

    @abstractmethod
    def _figure(self, group: Group, shown: Group) -> dict[str, Any]:
        """`shown`: the group for whose reader it is made, which decides what has no room."""


class Boolean(Aspect):
    type = "boolean"

    def __init__(self, of: str, name: str) -> None:
        super().__init__(of, name)
        self._known: Counter[int] = Counter()  # by place
        self._true: Counter[int] = Counter()

    def add(self, place: int, value: Any) -> None:
        if isinstance(value, bool):
            self._known[place] += 1
            self._true[place] += value

    def contrasts(self, group: Group, rest: Group) -> Iterable[Contrast]:
        shares = Shares(*self._counts(group), *self._counts(rest))
        return of_shares(self.of, self.name, shares)

    def _figure(self, group: Group, shown: Group) -> dict[str, Any]:
        true, n = self._counts(group)
        return {"n": n, "unknown": group.size - n, "share": true / n if n else None}

    def _counts(self, group: Group) -> tuple[int, int]:
        return inside(self._true, group), inside(self._known, group)


class Number(Aspect):
    type = "number"

    def __init__(self, of: str, name: str) -> None:
        super().__init__(of, name)
        self._column = Column()

    def add(self, place: int, value: Any) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._column.add(place, value, lowest=-LARGEST)

    def contrasts(self, group: Group, rest: Group) -> Iterable[Contrast]:
        return of_numbers(self.of, self.name, self._column, group, rest)

    def _figure(self, group: Group, shown: Group) -> dict[str, Any]:
        """`positive` is the share of those above 0, which tells more of a count that is mostly 0 than its median."""
        values = self._column.of(group)
        n = len(values)
        found: dict[str, Any] = {"n": n, "unknown": group.size - n}
        names = ("p25", "p50", "p75", "avg", "positive")
        if not n:
            return found | dict.fromkeys(names)
        quartiles = np.percentile(values, (25, 50, 75)).tolist()
        return found | dict(zip(names, (*quartiles, float(values.mean()), int((values > 0).sum()) / n), strict=True))


class String(Aspect):
    """Of given values, or of any: those are a table of the most frequent, or free text, which has none."""

    type = "string"

    def __init__(self, of: str, name: str, given: tuple[str, ...] | None = None) -> None:
        super().__init__(of, name)
        self._given = given
        self._known: Counter[int] = Counter()
        self._values: dict[str, Counter[int]] | None = {value: Counter() for value in given or ()}

    def add(self, place: int, value: Any) -> None:
        if not isinstance(value, str) or (self._given is not None and value not in self._given):
            return
        self._known[place] += 1
        if self._values is None:
            return
        self._values.setdefault(value, Counter())[place] += 1
        if self._given is None and (len(value) > VALUE_LENGTH or len(self._values) > DISTINCT):
            self._values = None

    def contrasts(self, group: Group, rest: Group) -> Iterator[Contrast]:
        n, rest_n = inside(self._known, group), inside(self._known, rest)
        for value, some in self._shown(group).items():
            shares = Shares(some, n, inside((self._values or {})[value], rest), rest_n)
            yield from of_shares(self.of, self.name, shares, value)

    def _figure(self, group: Group, shown: Group) -> dict[str, Any]:
        """`values` is None for free text; `distinct` counts the values that occur."""
        n = inside(self._known, group)
        found: dict[str, Any] = {"n": n, "unknown": group.size - n}
        if self._values is None:
            return found | {"values": None, "distinct": None}
        values = {value: inside(self._values[value], group) for value in self._shown(shown)}
        return found | {"values": values, "distinct": sum(inside(one, group) > 0 for one in self._values.values())}

    def _shown(self, group: Group) -> dict[str, int]:
        """Given values, each; of others the most frequent in the group. In the order of their counts there."""
        counts = {value: inside(counter, group) for value, counter in (self._values or {}).items()}
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return dict(ranked if self._given is not None else [pair for pair in ranked[:SHOWN_VALUES] if pair[1]])


def inside(counts: Mapping[int, int], group: Group) -> int:
    """How many of those that are counted by place lie in the group."""
    return sum(n for place, n in counts.items() if group.places[place])


def of_schema(name: str, schema: AttributeSchema) -> Aspect:
    if schema.type == "boolean":
        return Boolean("attributes", name)
    return Number("attributes", name) if schema.type == "number" else String("attributes", name, schema.enum)
