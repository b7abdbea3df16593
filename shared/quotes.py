"""Whether a trace says what a model quotes of it: nothing else is shown as a quote."""

import re
import unicodedata

LONGEST = 300  # characters of a quote
LEAST = 2  # words: one word is in any text

_ALIKE = str.maketrans("‘’‚‛“”„‟«»‐‑‒–—―−", '\'\'\'\'""""""-------')
_BREAK = re.compile(r"\\+[nrt]")  # white space as JSON writes it
_ESCAPE = re.compile(r"\\+(?=[\"'/\\])")
_ENDS = " \t\n\"'.…"
_WORD = re.compile(r"\w+")


def found(quote: str, text: str) -> bool:
    """Whether `quote` stands in `text`, white space, case, and the kind of quotation marks and dashes aside.

    What is longer than LONGEST characters, or has no two words, is no quote.
    """
    said = _folded(quote[: LONGEST + 1]).strip(_ENDS)
    if len(quote) > LONGEST or len(_WORD.findall(said)) < LEAST:
        return False
    return said in _folded(text)


def _folded(text: str) -> str:
    """Characters that look alike as one, words one space apart."""
    alike = unicodedata.normalize("NFKC", _ESCAPE.sub("", _BREAK.sub(" ", text)).translate(_ALIKE))
    return " ".join(alike.translate(_ALIKE).casefold().split())
