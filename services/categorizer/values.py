"""Values that a model wrote in its own words, as one: "Refunds", "refund_request" and "refund request".

Case and signs aside first; then by vectors of meaning (average linkage), where no two values of a group may be
opposites or have different numbers: vectors hardly see either. The limit is from `benchmarks/values.py`.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from services.categorizer.clustering.sphere import Array
from shared.job_config import AttributeSchema
from shared.values import Merged, Spellings

LIKE = 0.82  # mean cosine of two groups that become one
MOST = 1_000  # more different values than this are texts, and stay as they are
LONGEST = 80  # characters: what is longer is a text, and stands for itself
_SIGNS = re.compile(r"[\s_\-‐‑–—'\"’“”.,;:!?()\[\]{}/\\]+")  # but not those of C++, C# and 50 %
_WORD = re.compile(r"[^\W_]+")
_TELLING = re.compile(r"\d+|[+#%]")
_NEGATIONS = frozenset({"not", "no", "non", "never", "without", "nobody", "none", "nothing", "isn", "doesn", "didn"})
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de")
_OPPOSITES = tuple(
    (frozenset(one.split("/")), frozenset(other.split("/")))
    for one, other in (
        ("increas/rais/upgrad/high", "decreas/lower/downgrad/low/reduc"),
        ("positiv/good", "negativ/bad"),
        ("creat/open/start/add", "delet/clos/stop/remov/cancel"),
        ("wired", "wireles"),
        ("login", "logout"),
        ("buy/bought", "sell/sold"),
        ("befor", "after"),
        ("success", "fail"),
        ("input", "output"),
        ("client", "server"),
    )
)
_NEVER = 1e9  # a distance that no mean makes up for
_STEM = 4  # letters that two forms of a word share


def merged(
    attributes: Sequence[Mapping[str, Any]],
    schemas: Mapping[str, AttributeSchema],
    embed: Callable[[Sequence[str]], Array] | None,
) -> Spellings:
    """Of each open attribute of n items: how many spellings it has, how many values these are, and which are one.

    `embed` makes unit rows of texts; without it case and signs alone are looked at. The order of items does not matter.
    """
    found = {}
    for name, schema in schemas.items():
        if schema.type == "string" and schema.enum is None:
            counts = Counter(value for one in attributes if isinstance(value := one.get(name), str))
            groups = _groups(counts, embed) if len(counts) > 1 else []
            if any(len(group) > 1 for group in groups):
                found[name] = Merged.of(counts, groups)
    return found


def _groups(counts: Mapping[str, int], embed: Callable[[Sequence[str]], Array] | None) -> list[list[str]]:
    """The spellings of each value."""
    folded: dict[str, list[str]] = defaultdict(list)
    for value in sorted(counts):
        folded[_folded(value) or value].append(value)
    keys = list(folded)
    if embed is None or not 1 < len(keys) <= MOST:
        return list(folded.values())
    shown = [max(folded[key], key=lambda value: counts[value]) for key in keys]
    return [[value for at in group for value in folded[keys[at]]] for group in alike(shown, embed)]


def alike(values: Sequence[str], embed: Callable[[Sequence[str]], Array]) -> list[list[int]]:
    """Places of the values that mean the same, in order of their first."""
    vectors = embed([_spaced(value) for value in values])
    apart = 1 - np.clip(vectors @ vectors.T, -1, 1).astype(np.float64)
    for at, value in enumerate(values):
        for other in np.flatnonzero(apart[at] <= 2 * (1 - LIKE)).tolist():
            if other > at and not _may_be_one(value, values[other]):
                apart[at, other] = apart[other, at] = _NEVER
    np.fill_diagonal(apart, 0)
    group = fcluster(linkage(squareform(apart, checks=False), "average"), 1 - LIKE, "distance")
    places: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(group.tolist()):
        places[one].append(at)
    return sorted(places.values())


def _folded(value: str) -> str:
    return _SIGNS.sub("", unicodedata.normalize("NFKC", value).casefold())


def _spaced(value: str) -> str:
    """As the encoder reads it best."""
    return " ".join(value.replace("_", " ").split()).casefold()


def _may_be_one(value: str, other: str) -> bool:
    if max(len(value), len(other)) > LONGEST or _TELLING.findall(value) != _TELLING.findall(other):
        return False
    words, others = (frozenset(_WORD.findall(text.casefold())) for text in (value, other))
    if bool(words & _NEGATIONS) != bool(others & _NEGATIONS):
        return False
    ours, theirs = words - others, others - words
    return not (_denies(ours, theirs) or _denies(theirs, ours) or _opposed(ours, theirs) or _opposed(theirs, ours))


def _denies(words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one of the words is a negation of one of the others: unsatisfied, satisfied."""
    denied = {word[len(prefix) :][:_STEM] for word in words for prefix in _PREFIXES if word.startswith(prefix)}
    return any(len(word) >= 4 and word[:_STEM] in denied for word in others)


def _opposed(words: frozenset[str], others: frozenset[str]) -> bool:
    return any(_any_of(words, one) and _any_of(others, other) for one, other in _OPPOSITES)


def _any_of(words: frozenset[str], stems: frozenset[str]) -> bool:
    return any(word.startswith(stem) for word in words for stem in stems)
