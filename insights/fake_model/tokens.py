"""How many tokens a text has: o200k's where the package `bpe-openai`, which holds its table, is installed.

Else one for every four bytes: 4 % too few for the JSON of tau-bench's traces. Nothing is fetched: `/stats` says which
one counted.
"""

import importlib
import importlib.util
import math
import warnings
from collections.abc import Callable
from functools import cache

from shared.wording import clean

ESTIMATE = "estimate"
O200K = "o200k_base"
BYTES_PER_TOKEN = 4
PER_MESSAGE = 3  # what OpenAI's chat format adds to each message, and to the whole


@cache
def _counter() -> tuple[str, Callable[[str], int]]:
    if importlib.util.find_spec("bpe_openai") is None:
        return ESTIMATE, lambda text: math.ceil(len(text.encode()) / BYTES_PER_TOKEN)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of how it opens its table
        encoding = importlib.import_module("bpe_openai").get_encoding(O200K)
    return O200K, lambda text: len(encoding.encode(text))


def counted_by() -> str:
    return _counter()[0]


def count(text: str) -> int:
    return _counter()[1](clean(text))
