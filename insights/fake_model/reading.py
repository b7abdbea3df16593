"""What the messages of a request hold: what is asked, the data that it is asked of, and what is listed in it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from insights.fake_model.blocks import Block, split
from insights.fake_model.items import Item, items_of
from insights.fake_model.turns import Turn, content_text, turns_of, without_tags
from insights.fake_model.words import content_words, sentences, stem, stems

MARKER = re.compile(r"\[\[fake-model [^\[\]\n]{1,60}\]\]")

_ASIDE = re.compile("contrast|negativ|outsid|neighb|sibling|other|counter|not_")
_GIVEN = re.compile("categor|option|choice|partition|candidate|taxonom|allowed|schema|instruct|attribut|rule|format")
_CHILD = re.compile(r"</([a-z][\w.-]{0,60})>")
_EXAMPLE = re.compile("example")


@dataclass(frozen=True)
class Reading:
    """`asked` holds the instructions with what they give to choose from, `aside` the data that is not meant."""

    asked: str
    data: str
    aside: str = ""
    items: tuple[Item, ...] = ()
    blocks: tuple[Block, ...] = ()
    key: str = field(default="", compare=False)
    is_part: bool = False

    @cached_property
    def turns(self) -> list[Turn]:
        return turns_of(self.data)

    @cached_property
    def said(self) -> str:
        """The user's turns; all of the data where it is no conversation."""
        return "\n".join(turn.text for turn in self.turns if turn.is_user) or self.text

    @cached_property
    def text(self) -> str:
        return "\n".join(turn.text for turn in self.turns) or without_tags(self.data)

    @cached_property
    def sentences(self) -> list[str]:
        """The user's first, then the others: each verbatim from the data."""
        return list(dict.fromkeys((*sentences(self.said), *sentences(self.text))))

    @cached_property
    def said_stems(self) -> frozenset[str]:
        return stems(self.said)

    @cached_property
    def stems(self) -> frozenset[str]:
        return stems(self.text)

    @cached_property
    def frequent(self) -> list[str]:
        """The words that most of the items (else sentences) hold and the data aside doesn't, most frequent first."""
        parts = [item.text for item in self.items] if len(self.items) > 1 else self.sentences
        counts: Counter[str] = Counter()
        surface: dict[str, str] = {}
        for part in parts:
            found = content_words(part)
            for word in found:
                surface.setdefault(stem(word), word)
            counts.update({stem(word) for word in found})
        aside = stems(self.aside)
        ranked = sorted(counts, key=lambda one: (-counts[one] / (1 + (one in aside)), one))
        return [surface[one] for one in ranked]

    def of(self, items: Iterable[Item]) -> "Reading":
        """The same request, asked of these items alone; blocks in an item are read as blocks of a request are."""
        chosen = tuple(items)
        blocks = [block for item in chosen for block in split(item.text)[1]]
        aside = [block.text for block in blocks if _ASIDE.search(block.tag)]
        meant = [block.text for block in blocks if not _ASIDE.search(block.tag)] if aside else []
        data = "\n".join(meant or [item.text for item in chosen])
        return replace(self, data=data, aside="\n".join([self.aside, *aside]), items=chosen, is_part=True)


def read(messages: Sequence[Mapping[str, Any]], fields: frozenset[str] = frozenset()) -> Reading:
    """Data is what stands in tags; else what the user says where the system instructs; else everything.

    `fields` are the names that the answer will have: a line `<name>…</name>` of such a name shows the answer's form.
    """
    texts = [(str(message.get("role")), content_text(message.get("content"))) for message in messages]
    given = [(role, text) for role, text in texts if role not in ("assistant", "tool", "function")]
    key = _first_data(given)
    parts = [(role, *split(MARKER.sub("", text))) for role, text in given]
    blocks = [block for _, _, found in parts for block in found if block.tag not in fields or "\n" in block.text]
    outside = "\n".join(text for _, text, _ in parts)
    if blocks:
        return _of_blocks(blocks, outside, key, fields)
    users = [text for role, text, _ in parts if role == "user"]
    data = "\n".join(users) if len(users) < len(given) and users else outside
    return Reading(outside, data, items=tuple(items_of([], data)), key=key)


def _first_data(given: list[tuple[str, str]]) -> str:
    """What a request is about, however often it is repeated or mended: blocks, else the first that a user says."""
    blocks = [block.text for _, text in given for block in split(text)[1]]
    users = [text for role, text in given if role == "user"] or [text for _, text in given]
    return "\n".join(blocks) or (users[0] if users else "")


def _of_blocks(blocks: list[Block], outside: str, key: str, fields: frozenset[str]) -> Reading:
    aside = [block for block in blocks if _ASIDE.search(block.tag)]
    meant = [block for block in blocks if block not in aside] or blocks
    meant = [block for block in meant if fields.isdisjoint(_CHILD.findall(block.text.lower()))] or meant
    for unmeant in (_GIVEN, _EXAMPLE):
        meant = [block for block in meant if not unmeant.search(block.tag)] or meant
    rest = [block for block in blocks if block not in meant and block not in aside]
    return Reading(
        asked="\n".join([outside, *(block.text for block in rest)]),
        data="\n".join(dict.fromkeys(block.text for block in meant)),
        aside="\n".join(without_tags(block.text) for block in aside),
        items=tuple(items_of(meant, outside)),
        blocks=tuple(rest),
        key=key,
    )
