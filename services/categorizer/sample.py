"""The items of a job as the engine sees them: in the order of their ids, without the ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from shared.features import Features
from shared.models import Conduct, Item


class Packed(Sequence[Features]):
    """Features that are unpacked each time they are looked at: of a large job, not all fit into memory at once."""

    def __init__(self, packed: list[bytes]) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, at: int) -> Features: ...
    @overload
    def __getitem__(self, at: slice) -> "Packed": ...
    def __getitem__(self, at: int | slice) -> "Features | Packed":
        if isinstance(at, slice):
            return Packed(self._packed[at])
        return Features.unpack(self._packed[at])

    def __iter__(self) -> Iterator[Features]:
        return map(Features.unpack, self._packed)


@dataclass(slots=True)
class Sample:
    """One entry an item in each list."""

    features: list[bytes] = field(default_factory=list)
    attributes: list[dict[str, Any]] = field(default_factory=list)
    conducts: list[Conduct | None] = field(default_factory=list)
    errors: list[bool | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.features)

    def add(self, item: Item) -> None:
        self.features.append(item.features)
        self.attributes.append(item.attributes)
        self.conducts.append(item.facts.conduct)
        self.errors.append(item.facts.error)
