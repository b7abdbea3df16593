"""Names of groups that no phrase fits: vague, but true."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from statistics import median
from typing import Any

import numpy as np

from services.categorizer.naming.listed import domains
from services.categorizer.naming.masks import quoted
from services.categorizer.naming.writing import capitalised, uncapitalised

Array = np.ndarray[Any, np.dtype[Any]]

DOMAIN_FAVOURITES = 3  # listed phrases that a text votes for, where its domain is asked
MOST = 0.45  # share of a group's votes that make a domain its name
COMMON = 0.6  # share of all votes that make a domain the name of everything, which tells nothing of a group
NOTHING = "Requests without text"
MIXED = "Mixed requests"
QUESTIONS = "Mixed questions"
REPLIES = "Short replies"
VAGUE = (NOTHING, MIXED, QUESTIONS, REPLIES, "Other ")
_QUESTIONS_FROM = 0.6  # share of requests with a question mark
_REPLY = 3  # words
_PLAIN = re.compile(
    r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*(?:[ ,]+[^\W\d_]+(?:['\u2019-][^\W\d_]+)*)*[.?!]?"
)  # words alone
_QUOTE = 40  # characters
_TRIED = 20  # most central requests


def vague_name(requests: Sequence[str]) -> str:
    """By form only: short replies, questions, or anything else."""
    written = [request for request in requests if any(map(str.isalnum, request))]
    if not written:
        return NOTHING
    if median(len(request.split()) for request in written) <= _REPLY:
        return REPLIES
    questions = sum("?" in request for request in written)
    return QUESTIONS if questions > _QUESTIONS_FROM * len(written) else MIXED


def is_plain(name: str) -> bool:
    """Whether it is one phrase that tells something, and so may stand in a list of such."""
    return not name.startswith(VAGUE) and " and " not in name and "\u201c" not in name and name not in domains()


def told_apart(name: str, taken: Collection[str], requests: Sequence[str]) -> str:
    """The name, or, where a sibling is called so, the name with a request that is typical here."""
    if name not in taken:
        return name
    quotes = [quote for request in requests[:_TRIED] if (quote := quoted(request, _QUOTE))]
    whole = [quote for quote in quotes if quote.count(" ") > 1 and _PLAIN.fullmatch(quote)]
    for quote in whole:
        apart = f"{capitalised(name.removeprefix('Mixed '))} such as \u201c{quote.rstrip(' .,;:')}\u201d"
        if apart not in taken:
            return apart
    apart = name
    while apart in taken:
        apart = f"Other {uncapitalised(apart)}"
    return apart


def domain_name(votes: Array, least: float = MOST) -> str | None:
    """The domain that has `least` of a group's votes for listed phrases, (listed,); None if none has."""
    if not len(votes):
        return None
    shares: Counter[str] = Counter()
    for domain, vote in zip(domains(), votes.tolist(), strict=True):
        if domain:
            shares[domain] += vote
    if not shares.total():
        return None
    domain, share = min(shares.items(), key=lambda item: (-item[1], item[0]))
    return domain if share >= least * shares.total() else None
