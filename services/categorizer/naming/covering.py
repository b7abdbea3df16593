"""Names of categories: one phrase that holds for most of its items, else two joined, else what is true of a part."""

import re
from collections.abc import Sequence
from itertools import combinations

from services.categorizer.naming.choosing import stems
from services.categorizer.naming.fallback import VAGUE
from services.categorizer.naming.lexicon import inflect, is_verb
from services.categorizer.naming.phrases import Kind
from services.categorizer.naming.scoring import Ranked
from services.categorizer.naming.words import DETERMINERS
from services.categorizer.naming.writing import capitalised, uncapitalised

_REQUESTS = re.compile(r" requests?$")
TRIED = 12  # best candidates of a category
WHOLE = 0.6  # share of the items that a name holds for: enough alone
TOGETHER = 0.7  # enough for two
EACH = 0.3  # of them
HOLDS = 0.5  # weight of that share beside the score
PART = 0.4  # enough for one or two to be named beside "other requests"
LITTLE = 0.3  # enough for three
ALIKE = 0.75  # cosine above which two phrases say the same


def covering_name(ranked: Ranked, domain: str | None, taken: Sequence[str]) -> str | None:
    """None where nothing holds for a good part of the items.

    `domain`: what most texts are about, in general; `taken`: names of other categories.
    """
    forbidden = {stems(name) for name in taken}
    free = [place for place, one in enumerate(ranked.candidates) if stems(one.text) not in forbidden]
    alone = [place for place in free if ranked.support(place) >= WHOLE]
    if alone:
        best = max(alone, key=lambda place: (float(ranked.scores[place]) + HOLDS * ranked.support(place), -place))
        return ranked.candidates[best].text
    joint = joint_name(ranked, free)
    if joint is not None:
        return joint
    return domain if domain is not None and stems(domain) not in forbidden else None


def joint_name(ranked: Ranked, places: Sequence[int]) -> str | None:
    """ "Exchange rates and fees", else "Exchange rates and other requests", where none of `places` holds alone."""
    pair = _best_pair(ranked, places)
    if pair is not None and ranked.share(*pair) >= TOGETHER:
        return joined(*(ranked.candidates[place].text for place in pair))
    part = max(places, key=lambda place: (ranked.support(place), -place), default=None)
    if part is None or ranked.support(part) < PART:
        return None
    return and_others(ranked.candidates[part].text)


def _best_pair(ranked: Ranked, places: Sequence[int]) -> tuple[int, int] | None:
    """Of the best TRIED that hold for EACH part of the items the two that hold for most, the one of more first."""
    enough = [place for place in places if ranked.share(place) >= EACH][:TRIED]
    pairs = [pair for pair in combinations(enough, 2) if _may_join(ranked, *pair)]
    if not pairs:
        return None
    scores = ranked.scores
    first, second = max(pairs, key=lambda pair: (ranked.share(*pair), float(scores[pair[0]] + scores[pair[1]])))
    return (second, first) if ranked.share(second) > ranked.share(first) else (first, second)


def and_others(*names: str) -> str | None:
    """ "Order returns, card fees and other requests"; None without a name that tells something."""
    telling = [_REQUESTS.sub("", name) for name in names if not name.startswith(VAGUE)]
    if not telling:
        return None
    if len(telling) > 1:
        telling = [as_thing(name) for name in telling]
    return f"{', '.join([telling[0], *map(uncapitalised, telling[1:])])} and other requests"


def as_thing(name: str) -> str:
    """ "Cancel a reservation" -> "Cancelling a reservation", so that it stands well beside "cooking times"."""
    verb, _, rest = name.partition(" ")
    if rest.split(" ")[0] not in DETERMINERS or not is_verb(verb.lower()):
        return name
    return f"{capitalised(inflect(verb.lower(), 'VBG'))} {rest}"


def _may_join(ranked: Ranked, first: int, second: int) -> bool:
    """Whether each adds items to the other, in other words."""
    both = ranked.share(first, second)
    if both - max(ranked.share(first), ranked.share(second)) < EACH:
        return False
    acts = [ranked.candidates[place].phrase.kind is Kind.ACT for place in (first, second)]
    if acts[0] != acts[1]:
        return False
    one, two = ranked.candidates[first].text, ranked.candidates[second].text
    if " and " in one + two:
        return False
    return float(ranked.vectors[first] @ ranked.vectors[second]) < ALIKE and not stems(one) <= stems(two)


def joined(first: str, second: str) -> str:
    """ "Order returns" + "order changes" -> "Order returns and changes"."""
    one, two = first.split(" "), second.split(" ")
    if len(one) == len(two) == 2:
        if one[0].lower() == two[0].lower() and one[1].endswith("s"):
            return f"{first} and {two[1]}"
        if one[1] == two[1]:
            return f"{one[0]} and {uncapitalised(second)}"
    return f"{first} and {uncapitalised(second)}"
