"""Text of traces made safe for a terminal: a trace must not move the cursor, hide text or turn it round."""

import unicodedata

_JOINERS = "\u200c\u200d"  # invisible, but emoji and several scripts are written with them


def printable(text: str, encoding: str = "utf-8") -> str:
    """One line, with a mark in place of each control, format or unpaired character and of what `encoding` lacks."""
    mark = "\ufffd" if is_unicode(encoding) else "?"
    line = " ".join(text.split())
    safe = "".join(mark if _is_unsafe(one) else one for one in line)
    return safe.encode(encoding, "replace").decode(encoding)


def is_unicode(encoding: str) -> bool:
    return encoding.lower().replace("_", "-").startswith("utf")


def _is_unsafe(character: str) -> bool:
    """Controls (ESC, NUL …), format characters (the BiDi overrides …) and lone surrogates."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _JOINERS
