"""What was said in an item, in pieces small enough to be compared with a statement."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from services.attribute_extractor.statements import Speaker
from shared.content import split
from shared.messages import Turn
from shared.wording import clean

PIECES = 60  # of one item
_LENGTH = 300  # characters of a piece: a statement is short
_TEXT = 20_000  # characters of a turn, half from its start and half from its end
_LONG = 80  # characters above which the clauses of a sentence are pieces as well
_SHORT = 8
_CLAUSE = re.compile(r"[,;:–—]\s|\s(?=(?:and|but|because|so|since|although|however)\s)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence or clause, whose it is, and where it stands: a later piece may take back an earlier one."""

    speaker: Speaker
    text: str
    at: int


def pieces(turns: Sequence[Turn]) -> list[Piece]:
    """At most PIECES, without repeats: those of the last turns and of the first ones before those between."""
    found: dict[tuple[Speaker, str], Piece] = {}
    told = [turn for turn in turns if turn.role in ("user", "assistant")]
    for index in _from_both_ends(len(told)):
        turn = told[index]
        speaker: Speaker = "user" if turn.role == "user" else "assistant"
        parts = _parts(turn.text)
        for place in _from_both_ends(len(parts)):
            found.setdefault((speaker, parts[place]), Piece(speaker, parts[place], index * 1_000_000 + place))
            if len(found) == PIECES:
                return _in_order(found.values())
    return _in_order(found.values())


def _in_order(found: Iterable[Piece]) -> list[Piece]:
    return sorted(found, key=lambda piece: piece.at)


def _from_both_ends(n: int) -> Iterator[int]:
    """n - 1, 0, n - 2, 1, …"""
    middle = n // 2
    for last, first in zip_longest(range(n - 1, middle - 1, -1), range(middle)):
        yield from (place for place in (last, first) if place is not None)


def _parts(text: str) -> list[str]:
    """Sentences in order, each followed by its clauses where it is long."""
    half = _TEXT // 2
    if len(text) > _TEXT:
        text = f"{text[:half]}\n{text[-half:]}"
    found = []
    for sentence in split(clean(text)):
        found.append(sentence[:_LENGTH])
        if len(sentence) > _LONG:
            clauses = (clause.strip() for clause in _CLAUSE.split(sentence[: 4 * _LENGTH]))
            found += [clause[:_LENGTH] for clause in clauses if len(clause) > _SHORT]
    return found
