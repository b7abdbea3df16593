"""Which of an attribute's given values fits an item best, or null where none does clearly.

What states a value is one piece of what the user said; all that was said together blurs it. The limits are from
`benchmarks/attributes.py --margins`, which shows precision and recall around them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.attribute_extractor.reading import Piece
from services.attribute_extractor.statements import words
from shared.features import Array

FITS = 0.25  # cosine of a piece to the best value
CLEAR = 0.1  # more than to the second
_CATCH_ALL = re.compile(
    r"(?:others?|none|none of (?:these|them)|unknown|unclear|n/?a|misc\w*|anything else)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Choice:
    """An attribute with given values, ready to be compared: `vectors` are unit rows of `texts`, (texts, d)."""

    values: tuple[str, ...]
    vectors: Array

    def judge(self, said: Sequence[Piece], vectors: Array) -> str | None:
        """The value, or null. `vectors` are unit rows of the pieces, (n, d)."""
        if named := self._named(said):
            return named
        own = [at for at, piece in enumerate(said) if piece.speaker == "user"]
        if not own:
            return None
        fit = _mean_by_value(vectors[own] @ self.vectors.T, len(self.values)).max(axis=0)
        order = np.argsort(-fit, kind="stable")
        second = float(fit[order[1]]) if len(order) > 1 else -1.0
        best = float(fit[order[0]])
        return self.values[order[0]] if best >= FITS and best - second >= CLEAR else None

    def _named(self, said: Sequence[Piece]) -> str | None:
        """The one value that the user says, if there is one: a value that has several words, all of them in order."""
        text = "\n".join(piece.text.lower() for piece in said if piece.speaker == "user")
        found = [value for value in self.values if re.search(rf"(?<!\w){re.escape(value.lower())}(?!\w)", text)]
        return found[0] if len(found) == 1 else None


def texts(name: str, values: Sequence[str]) -> list[str]:
    """What stands for each value, one after the other: itself, and itself below the attribute's name."""
    label = words(name)
    return [text for value in told(values) for text in (words_of(value), f"{label}: {words_of(value)}")]


def told(values: Sequence[str]) -> tuple[str, ...]:
    """Values that a text can be like: not "other"."""
    return tuple(dict.fromkeys(value for value in values if value.strip() and not _CATCH_ALL.match(value.strip())))


def words_of(value: str) -> str:
    return value.replace("_", " ").strip()


def _mean_by_value(cosines: Array, values: int) -> Array:
    """(n, values × texts) → (n, values)."""
    return np.asarray(cosines.reshape(len(cosines), values, -1).mean(axis=2))
