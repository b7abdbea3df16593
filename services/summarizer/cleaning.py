"""What is a trace's own: its text without the sentences that many traces share, and without code.

As measured on agent traces: instructions that are pasted into every first message hide what is asked, unless the
sentences in over 30 % of traces are left out.
"""

import re
from collections.abc import Sequence

from shared.content import sentence_key, split
from shared.models import Plan

COMMON = 0.3  # share of items above which a sentence is template
LEAST = 12  # characters that are left of every text that has as many

_WORD = re.compile(r"[^\W\d_]{2,}")
_SYMBOL = re.compile(r"[^\w\s.,;:!?'\"()’“”。，、？！-]|_")
_SYMBOLS = 0.12  # share of other characters in a line of prose
_TAGGED = re.compile(r"<(execute|code|pre|script|style)\b[^<>]{0,200}>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_MARKUP = re.compile(  # tags without attributes, emphasis, headings, bullets, ###STOP###
    r"</?[A-Za-z][\w-]{0,30}>|\*\*|__|`|^[^\S\n]{0,8}(?:[#>*•-]{1,6}|\d{1,2}[.)])[^\S\n]|###\w{1,12}###", re.MULTILINE
)
_CODE = re.compile(
    r"""(?: (?:async\s)?def\s\w+\s?\( | class\s\w+\s?[({:] | import\s[\w.,\s]{1,80}$ | from\s[\w.]{1,60}\simport\s
      | (?:const|let|var|public|private|static|return|using|package|assert|elif|print)\b.{0,200}[;=(){}\[\]]
      | (?:if|for|while|else|try|with)\b.{0,200}(?:\)\s?\{|[^\s\w]:)$
      | \#include\b | //\s | /\* | \*/ | @\w+\b | %%\w | </?\w+[^<>]{0,200}> | \$\s\w | >>>\s
      | [\w.\[\]"']{1,60}\s?(?:[+-]?=|:=|<-)\s?\S | [\w.]{1,60}\([^()]{0,200}\)\s?;?$ | .{0,200}[;{}]$ )""",
    re.VERBOSE,
)
_NOISE = 2.0  # more than any share: a brace, a rule, the number of a list's item


def own(text: str, plan: Plan) -> list[str]:
    """The sentences of a text, each once and in order, that are its own; of one that is all template the rarest."""
    found = list(dict.fromkeys(split(text)))
    shares = [plan.common.get(sentence_key(said), 0.0) if _WORD.search(said) else _NOISE for said in found]
    kept = {at for at, share in enumerate(shares) if share <= COMMON}
    length = sum(len(found[at]) for at in kept)
    for at in sorted(set(range(len(found))) - kept, key=lambda at: (shares[at], at)):
        if length >= LEAST or (kept and shares[at] == _NOISE):
            break
        kept.add(at)
        length += len(found[at])
    return [found[at] for at in sorted(kept)]


def prose(text: str) -> list[str]:
    """The lines of a text that are written for a person, without markup: no code, and not full of symbols."""
    outside = _MARKUP.sub(" ", _TAGGED.sub("\n", "\n".join(text.split("```")[::2])))
    return [line for part in outside.splitlines() if _is_prose(line := " ".join(part.split()))]


def _is_prose(line: str) -> bool:
    words = _WORD.findall(line)
    if not words or (len(words) < 3 and line[-1] not in ".?!:。？！"):
        return False
    return not _CODE.match(line) and len(_SYMBOL.findall(line)) < _SYMBOLS * len(line)


def joined(sentences: Sequence[str]) -> str:
    return "\n".join(sentences)
