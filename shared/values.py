"""Which values of open attributes count as one: found by the categorizer, held to by whoever shows or counts them.

In `Report.trust["values"]`: {attribute: {"spellings": how many values were answered, "values": how many they are,
"merged": [{"value": what stands for all, "spellings": [the others]}]}}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spellings = Mapping[str, "Merged"]


@dataclass(frozen=True, slots=True)
class Merged:
    """Of one attribute. `stands_for`: a spelling → the value that stands for it, of those that differ from it."""

    spellings: int
    values: int
    stands_for: Mapping[str, str]

    @classmethod
    def of(cls, counts: Mapping[str, int], groups: Sequence[Sequence[str]]) -> "Merged":
        """The most frequent spelling stands for its group; of several the shortest, then the first by the alphabet."""
        stands_for: dict[str, str] = {}
        for group in groups:
            chosen = min(group, key=lambda value: (-counts[value], len(value), value))
            stands_for |= {value: chosen for value in group if value != chosen}
        return cls(len(counts), len(groups), stands_for)

    def dump(self) -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for spelling, value in sorted(self.stands_for.items(), key=lambda pair: (pair[1], pair[0])):
            found.setdefault(value, []).append(spelling)
        merged = [{"value": value, "spellings": spellings} for value, spellings in found.items()]
        return {"spellings": self.spellings, "values": self.values, "merged": merged}

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> "Merged":
        stands_for = {spelling: one["value"] for one in dumped["merged"] for spelling in one["spellings"]}
        return cls(dumped["spellings"], dumped["values"], stands_for)


def load(trust: Mapping[str, Any]) -> Spellings:
    return {name: Merged.load(dumped) for name, dumped in (trust.get("values") or {}).items()}


def canonical(attributes: Mapping[str, Any], spellings: Spellings) -> Mapping[str, Any]:
    """The attributes with the values that stand for theirs."""
    changed = {name: _of(one, attributes.get(name)) for name, one in spellings.items() if name in attributes}
    return {**attributes, **changed} if changed else attributes


def _of(merged: Merged, value: Any) -> Any:
    return merged.stands_for.get(value, value) if isinstance(value, str) else value
