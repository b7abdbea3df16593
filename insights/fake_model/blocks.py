"""Outermost `<tag>…</tag>` blocks that begin a line: how prompts delimit their data."""

import re
from dataclasses import dataclass

_TAG = re.compile(
    r"(?m)(?P<begins>^[ \t]{0,80})?<(?P<close>/?)(?P<name>[A-Za-z][\w.-]{0,60})(?P<rest>\s[^<>\n]{0,300})?>"
)


@dataclass(frozen=True, slots=True)
class Block:
    """`attributes` is the text between the tag's name and `>`."""

    tag: str
    attributes: str
    text: str


def split(text: str) -> tuple[str, list[Block]]:
    """What stands outside of blocks, and the blocks. One that is never closed is none."""
    tags = list(_TAG.finditer(text))
    last = {tag["name"]: place for place, tag in enumerate(tags) if tag["close"]}
    outside: list[str] = []
    blocks: list[Block] = []
    place = position = 0
    while place < len(tags):
        tag = tags[place]
        if tag["close"] or tag["begins"] is None or last.get(tag["name"], -1) <= place:
            place += 1
            continue
        end = _closing(tags, place, last[tag["name"]])
        outside.append(text[position : tag.start()])
        blocks.append(Block(tag["name"].lower(), tag["rest"] or "", text[tag.end() : tags[end].start()]))
        position, place = tags[end].end(), end + 1
    return "\n".join([*outside, text[position:]]), blocks


def _closing(tags: list[re.Match[str]], place: int, last: int) -> int:
    depth = 0
    name = tags[place]["name"]
    for at in range(place, last + 1):
        if tags[at]["name"] == name:
            depth += -1 if tags[at]["close"] else 1
        if depth == 0:
            return at
    return last
