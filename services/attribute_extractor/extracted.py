"""What an engine finds out of one item."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Extracted:
    """A value, or None, of each attribute of the job; and of those that a model could not tell, why.

    left_out: why this item is none of the report's, or None.
    """

    attributes: Mapping[str, Any]
    unknown: Mapping[str, str] = field(default_factory=dict)
    left_out: str | None = None
