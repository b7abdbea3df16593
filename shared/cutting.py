"""Placeholder of m-sum's module while it is not there."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.prompts import Piece, joined


@dataclass(frozen=True, slots=True)
class Cut:
    text: str
    content: str
    unread: float


def cut(pieces: Sequence[Piece], tokens: int = 12_000) -> Cut:
    return Cut(joined(pieces), "\n".join(piece.text for piece in pieces if piece.is_value), 0.0)
