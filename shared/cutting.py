"""A rendered prompt as a model reads it: within a budget of tokens, and with what decides still in it.

What is small goes through as it is. In larger conversations the parts that tell least are shortened: instructions of
the application, arguments and results of tools, long answers. What is then still too long loses whole turns: the user's
first, the last ones, and errors with their neighbours stay. Each gap has a mark. Of a value that is no conversation
the middle is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.content import messages_of, turns
from shared.llm.tokens import estimate_tokens
from shared.messages import Turn
from shared.prompts import Piece, joined
from shared.transcript import DENSEST, ENDING, FIRST, LEAST, Line, brief, plain, shortened, whole

TOKENS = 12_000  # of all values of a prompt
SMALL = 500  # tokens of a conversation of which nothing is shortened
LAST = 4  # turns at the end that stay before others do
REPEATED = "[repeated below]"


@dataclass(frozen=True, slots=True)
class Cut:
    """text: the prompt, with its values between delimiters. content: these alone, also between them.

    unread: share of the values that was left out, instructions of the application aside.
    """

    text: str
    content: str
    unread: float


@dataclass(frozen=True, slots=True)
class _Value:
    """Its lines in order, and the places of those that stay first."""

    lines: Sequence[Line]
    order: Sequence[int] = (0,)

    @property
    def tokens(self) -> int:
        return sum(line.tokens for line in self.lines)


def cut(pieces: Sequence[Piece], tokens: int = TOKENS) -> Cut:
    """CPU work of a few milliseconds, more for megabytes: call it in a thread. Never raises."""
    values = list(_values([piece for piece in pieces if piece.is_value], tokens))
    rooms = _shares([value.tokens for value in values], tokens)
    shown = [_within(value, room) for value, room in zip(values, rooms, strict=True)]
    shown_pieces = iter(Piece(one, is_value=True) for one in shown)
    read = [next(shown_pieces) if piece.is_value else piece for piece in pieces]
    length = sum(line.length for value in values for line in value.lines)
    unread = max(0.0, 1 - sum(map(len, shown)) / length) if length else 0.0
    content = joined(piece for piece in read if piece.is_value)
    return Cut(joined(read), content, round(unread, 3))


def _values(pieces: Sequence[Piece], tokens: int) -> Iterator[_Value]:
    """Of two conversations in a row that tell the same the longer, later one: applications give back what they got."""
    talks = [messages_of(piece.value) for piece in pieces]
    for at, (piece, talk) in enumerate(zip(pieces, talks, strict=True)):
        told = turns([talk]) if talk else []
        later = next((other for other in talks[at + 1 :] if other), None)
        if told and later and turns([talk, later]) == turns([later]):
            yield _Value([Line(REPEATED, LEAST, 0)])
        elif told:
            yield _conversation(told)
        else:
            text = plain(piece.text)
            short = shortened(text, tokens)
            yield _Value([Line(short, estimate_tokens(short), len(text))])


def _conversation(told: Sequence[Turn]) -> _Value:
    if sum(len(turn.text) for turn in told) <= SMALL * DENSEST:
        value = _Value([whole(turn) for turn in told], range(len(told)))
        if value.tokens <= SMALL:
            return value
    first = next((at for at, turn in enumerate(told) if turn.role == "user"), 0)
    most = {len(told) - 1: ENDING, first: FIRST}
    lines = [brief(turn, most.get(at, 0)) for at, turn in enumerate(told)]
    return _Value(lines, _order(lines, first))


def _order(lines: Sequence[Line], first: int) -> list[int]:
    """The places of all lines, those that decide before those that can be left out."""
    backwards = range(len(lines) - 1, -1, -1)
    near = [at for place in backwards if lines[place].is_error for at in (place, place - 1, place + 1)]
    ranked = dict.fromkeys([first, *backwards[:LAST], *near, *backwards])
    return [at for at in ranked if 0 <= at < len(lines)]


def _shares(wanted: Sequence[int], tokens: int) -> list[int]:
    """What each gets of the tokens: the small ones all that they want, the large ones the same."""
    shares = [0] * len(wanted)
    for done, at in enumerate(sorted(range(len(wanted)), key=lambda at: (wanted[at], at))):
        shares[at] = min(wanted[at], (tokens - sum(shares)) // (len(wanted) - done))
    return shares


def _within(value: _Value, room: int) -> str:
    """The lines that fit, in their order, with a mark in each gap; of those that come first also a part."""
    kept: dict[int, str] = {}
    for rank, at in enumerate(value.order):
        line = value.lines[at]
        if line.tokens <= room:
            kept[at] = line.text
            room -= line.tokens
        elif rank <= LAST and room >= LEAST:
            kept[at] = shortened(line.text, room // 2 if rank == 0 and len(value.order) > 1 else room)
            room -= min(room, estimate_tokens(kept[at]))
    return "\n".join(_with_gaps(kept, len(value.lines)))


def _with_gaps(kept: dict[int, str], lines: int) -> Iterable[str]:
    gone = 0
    for at in range(lines):
        if at not in kept:
            gone += 1
            continue
        if gone:
            yield f"[{gone:,} turns left out]"
        gone = 0
        yield kept[at]
    if gone:
        yield f"[{gone:,} turns left out]"
