"""A summary without a model: the content that the prompt chooses, without what most traces share, cut short."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.bodies import pack
from shared.content import Turn, sentence_key, split, turns
from shared.models import Plan
from shared.prompts import Piece, values_only
from shared.wording import clean

SUMMARY_LENGTH = 600  # characters: about 120 tokens
TEXT_LENGTH = 8_000  # characters of the conversation that are counted as words
WORDS = 200  # different words of one item
COMMON = 0.3  # share of items above which a sentence is template
VERSION = b"w1"
_WORD = re.compile(r"[^\W\d_]{3,30}")


@dataclass(frozen=True, slots=True)
class Summary:
    text: str
    features: bytes


def summarize(pieces: Sequence[Piece], plan: Plan) -> Summary:
    """The summary of one rendered prompt, and its words (VERSION, then {word: count}) for the categorizer."""
    told = [turn for turn in turns(values_only(pieces)) if turn.role != "system"]
    told = told or turns(values_only(pieces))
    own = _own(told, plan)
    text = _cut(" ".join(" ".join(own).split()), SUMMARY_LENGTH)
    return Summary(clean(text) or "(empty)", VERSION + pack(_words(" ".join(own)[:TEXT_LENGTH])))


def _own(told: Sequence[Turn], plan: Plan) -> list[str]:
    """The sentences that are this trace's own; the rarest where all are common."""
    sentences = [s for turn in told if turn.role != "tool" for s in split(turn.text)]
    shares = [plan.common.get(sentence_key(sentence), 0.0) for sentence in sentences]
    limit = max(COMMON, min(shares, default=0.0))
    return [sentence for sentence, share in zip(sentences, shares, strict=True) if share <= limit]


def _cut(text: str, length: int) -> str:
    """At most `length` characters, at a word's end, with a mark."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0] + "…"


def _words(text: str) -> dict[str, Any]:
    counts = Counter(word.lower() for word in _WORD.findall(text))
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(sorted(ranked[:WORDS]))
