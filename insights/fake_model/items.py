"""What a prompt lists: numbered lines, bullets, elements, or JSON lines, each with the label that it is called by."""

import re
from collections import Counter
from dataclasses import dataclass

from insights.fake_model.blocks import Block, split
from insights.fake_model.turns import without_tags

_LINE = re.compile(
    r"(?m)^[ \t]{0,20}(?:\[([\w.:-]{1,64})\]|#?(\d{1,6})[.):]|(?:item|trace|summary)[ \t]#?(\d{1,6}):)(?=\s)"
)
_BULLET = re.compile(r"(?m)^[ \t]{0,20}[-*•][ \t]+")
_JSON_ID = re.compile(r'(?m)^[ \t\[]{0,20}\{\s{0,20}"(?:id|index|n|item|number|key)"\s*:\s*"?([\w.:-]{1,64})"?\s*,')
_ID = re.compile(r"""\b(?:id|index|n|number|key|item)\s*=\s*["']?([\w.:-]{1,64})""")


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    text: str


def items_of(blocks: list[Block], outside: str) -> list[Item]:
    """The items of the block that lists the most; of the text where there is no block. One alone is no list."""
    labelled = [Item(found[1], block.text) for block in blocks if (found := _ID.search(block.attributes))]
    lists = [labelled, *(_listed(block.text) for block in blocks)] if blocks else [_listed(outside)]
    return max(lists, key=len)


def _listed(text: str) -> list[Item]:
    return _elements(text) or _at(text, _JSON_ID) or _at(text, _LINE) or _at(text, _BULLET)


def _elements(text: str) -> list[Item]:
    """Children of one name, by their `id` or else by their place, from 1."""
    children = split(text)[1]
    if not children:
        return []
    tag, count = Counter(child.tag for child in children).most_common(1)[0]
    if count < 2 and not _ID.search(children[0].attributes):
        return []
    alike = [child for child in children if child.tag == tag]
    ids = [found[1] if (found := _ID.search(child.attributes)) else str(place) for place, child in enumerate(alike, 1)]
    return [Item(label, child.text.strip()) for label, child in zip(ids, alike, strict=True)]


def _at(text: str, beginning: re.Pattern[str]) -> list[Item]:
    found = list(beginning.finditer(text))
    items: list[Item] = []
    for place, match in enumerate(found, 1):
        end = found[place].start() if place < len(found) else len(text)
        label = next((group for group in match.groups() if group), str(place))
        items.append(Item(label, without_tags(text[match.end() : end]).strip()))
    return items
