"""Takes ids, numbers, addresses and names of users out of what is quoted, and shortens it."""

import re

HIDDEN = "\u2026"
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]+")
_ADDRESS = re.compile(r"@|://|^www\.", re.IGNORECASE)
_MARKS = "#*->\u2022|= "  # of lists and headings
_EDGES = ".,;:!?()[]{}\"'\u201c\u201d\u2018\u2019"
_LONGEST = 30  # letters of a word that is shown


def quoted(text: str, limit: int) -> str:
    """One line of about `limit` characters, cut at a word, ids replaced by an ellipsis. Empty if nothing is left."""
    words = _SPACES.sub(" ", text[: 20 * limit]).lstrip(_MARKS).split()
    shown: list[str] = []
    length = 0
    for word in words:
        masked = _masked(word[: limit + 1])
        if length + len(masked) > limit:
            shown.append(HIDDEN if shown else masked[:limit] + HIDDEN)
            break
        if masked.strip(_EDGES) == HIDDEN and shown and shown[-1] == HIDDEN:
            continue
        shown.append(masked)
        length += len(masked) + 1
    line = re.sub(rf"{HIDDEN}(?: {HIDDEN})+", HIDDEN, " ".join(shown)).replace("\u201c", '"').replace("\u201d", '"')
    return line if any(map(str.isalpha, line)) else ""


def _masked(word: str) -> str:
    core = word.strip(_EDGES)
    if not core or not _is_id(core):
        return word
    before, _, after = word.partition(core)
    return f"{before}{HIDDEN}{after}"


def _is_id(word: str) -> bool:
    if any(map(str.isdigit, word)) or "_" in word or (len(word) > _LONGEST and word.isascii()):
        return True
    return bool(_ADDRESS.search(word))
