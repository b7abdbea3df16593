"""Listed items in groups, each around a frequent word: what a stand-in can do for categories."""

import math

from insights.fake_model.items import Item
from insights.fake_model.reading import Reading
from insights.fake_model.words import content_words, stem, stems


def groups(reading: Reading, most: int) -> list[Reading]:
    """At most `most` groups, about the root of the number of items; each item in exactly one, no group empty.

    None of a part that can be parted no more, so that a tree comes to an end.
    """
    items = list(reading.items) or [Item(str(place), text) for place, text in enumerate(reading.sentences, 1)]
    if not items or (reading.is_part and len(items) == 1):
        return []
    wanted = max(1, min(most, math.ceil(math.sqrt(len(items)))))
    words = {item: frozenset(stem(word) for word in content_words(item.text)) for item in items}
    seeds = _seeds(reading, words, wanted)
    found: dict[str, list[Item]] = {}
    for item in items:
        seed = next((seed for seed in seeds if seed in words[item]), seeds[-1] if seeds else "")
        found.setdefault(seed, []).append(item)
    return [reading.of(members) for members in found.values()]


def _seeds(reading: Reading, words: dict[Item, frozenset[str]], wanted: int) -> list[str]:
    """Frequent words, each from items that no earlier one has; what every item holds tells none apart."""
    left = set(words)
    chosen: list[str] = []
    for word in (next(iter(stems(one)), one) for one in reading.frequent):
        having = {item for item in left if word in words[item]}
        if having and len(having) < max(2, len(words)):
            chosen.append(word)
            left -= having
        if len(chosen) == wanted or not left:
            break
    return chosen
