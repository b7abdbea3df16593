"""What an engine makes of one item."""

from dataclasses import dataclass
from typing import Any

from shared.features import Features
from shared.models import Conduct


@dataclass(frozen=True, slots=True)
class Summarized:
    """`features` with their vectors. The rest is as the fields of Item of the same names."""

    text: str
    features: Features
    conduct: Conduct
    draft: dict[str, Any] | None = None
    quotes: tuple[str, ...] = ()
    quotes_dropped: int = 0
    unread: float = 0.0
