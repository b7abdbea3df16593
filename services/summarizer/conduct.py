"""How a conversation went, by counting: exact, bounded, and no judgement of it.

Which facts tell, and how much, is measured in the issue's trace-summaries: tool errors, repetition and length do.
"""

import re
from collections import Counter
from collections.abc import Sequence

from shared.content import split
from shared.messages import Turn
from shared.models import Conduct
from shared.tool_errors import is_error

LOOKED_AT = 4_000  # characters of an answer
BEGIN = 400  # characters by which results are taken for the same: the rest is often a time or a count
NEAR = 60  # characters before a hand-over in which it may turn out an offer
END = 2  # answers that may say that somebody else takes over

_CANNOT = r"(?:can(?:no|['’])t|can\snot|(?:unable|not\s(?:able|allowed|permitted|authori[sz]ed))\sto)"
_DEED = (
    r"(?:help(?!\sbut)|assist|process|fulfil|complete|comply|proceed|provide|offer|share|access|make|change|modify|cancel|refund"
    r"|issue|book|update|add|remove|upgrade|do|perform|give|grant|waive|override|disclose|discuss|answer|generate|create"
    r"|write|support|send|approve|allow|accept|continue|engage|open|delete|exchange|return|locate|verify|directly)"
)
_REFUSAL = re.compile(
    rf"\b(?:i|we)(?:\s\w{{1,12}}){{0,3}}(?:['’](?:m|re))?\s{_CANNOT}\s(?:\w{{2,12}}ly\s)?{_DEED}\w{{0,3}}\b"
    r"|\bbeyond\swhat\s(?:i|we)\scan\b"
    r"|\b(?:can(?:no|['’])t|can\snot)\sbe\s(?:cancel|refund|modif|chang|process|return|exchang|upgrad|complet|remov)"
    r"|\b(?:cannot|can['’]t|unable\sto|not\sable\sto)\s(?:assist|help(?!\sbut)|process|fulfil|complete|comply|proceed)",
    re.IGNORECASE,
)
_SOMEBODY = (
    r"(?:humans?|live\sagents?|agents?|representatives?|specialists?|colleagues?|operators?|advisors?|supervisors?"
    r"|managers?|somebody|someone|(?:support|service|care)\steam|team)"
)
_HANDOVER = re.compile(
    r"\b(?:transfer(?:red|ring)?|hand(?:ed|ing)?\s(?:you\s|this\s|it\s)?(?:over|off)|pass(?:ed|ing)?\s\w{1,12}\son"
    r"|escalat(?:e|ed|ing)|forward(?:ed|ing)?|connect(?:ed|ing)?\syou|put(?:ting)?\syou\sthrough)\b"
    r".{0,60}?\b" + _SOMEBODY + r"\b"
    r"|\b(?:a|our|the)\s(?:human|colleague|specialist|representative)s?\swill\b",
    re.IGNORECASE,
)
_OFFER = re.compile(r"\b(?:can|could|would|may|might|if|unless|want|should|able|recommend|suggest)\b", re.IGNORECASE)
_HANDOVER_TOOL = re.compile(
    r"(?:transfer|hand_?(?:off|over)|escalate|connect|route)\w{0,20}(?:human|representative|operator|live|person|support)"
    r"|escalate|hand_?over",
    re.IGNORECASE,
)
_BUDGET = re.compile(
    r"\b(?:(?:0|no(?:\smore)?)\s(?:steps|turns|chances?|attempts|tries)\b.{0,30}\bleft"
    r"|(?:ran|run|running)?\s?out\sof\s(?:steps|turns|time|budget|tokens|attempts)"
    r"|max(?:imum)?\s(?:number\sof\s)?(?:steps|turns|iterations|attempts|tokens|tool\scalls|retries)"
    r"|(?:iteration|recursion|step|turn|time|token)s?\slimit|need\smore\ssteps|time(?:d)?\s?out)\b",
    re.IGNORECASE,
)


def conduct(turns: Sequence[Turn], error: str | None = None) -> Conduct:
    """The facts of a conversation without its system messages; `error` is that of its run."""
    answers = [turn.text for turn in turns if turn.role == "assistant" and turn.text]
    results = [turn for turn in turns if turn.role == "tool"]
    calls = Counter(call for turn in turns for call in turn.calls)
    errors = [is_error(result) for result in results]
    texts = Counter(result.text[:BEGIN] for result in results if result.text)
    return Conduct(
        messages=len(turns),
        user_turns=sum(turn.role == "user" and bool(turn.text) for turn in turns),
        answer_length=sum(map(len, answers)),
        tool_calls=calls.total(),
        tool_errors=sum(errors) if results else None,
        last_result_error=errors[-1] if results else None,
        repeated_calls=calls.total() - len(calls),
        repeated_results=texts.total() - len(texts) if results else None,
        handed_over=handed_over(turns),
        refusal=declines(answers[-1]) if answers else None,
        ends_in_question=asks(answers[-1]) if answers else None,
        out_of_budget=_out_of_budget(answers[-1:] + [result.text for result in results[-1:]] + [error or ""]),
    )


def handed_over(turns: Sequence[Turn]) -> bool:
    """Whether a tool was called, or one of the last answers says, that somebody else takes over."""
    if any(_HANDOVER_TOOL.search(name) for turn in turns for name in turn.tools):
        return True
    answers = [turn.text for turn in turns if turn.role == "assistant" and turn.text]
    return any(hands_over(sentence) for answer in answers[-END:] for sentence in split(answer[-LOOKED_AT:]))


def hands_over(sentence: str) -> bool:
    """Not only offers it, as a question or an "I can" does."""
    found = None if sentence.endswith("?") else _HANDOVER.search(sentence)
    return found is not None and not _OFFER.search(sentence, max(0, found.start() - NEAR), found.start())


def declines(answer: str) -> bool:
    return any(_REFUSAL.search(sentence) for sentence in split(answer[-LOOKED_AT:]))


def asks(answer: str) -> bool:
    return answer.rstrip(" \n\t*_\"'”)").endswith(("?", "？"))


def _out_of_budget(ends: Sequence[str]) -> bool:
    return any(_BUDGET.search(text[-BEGIN:].replace("_", " ")) for text in ends)
