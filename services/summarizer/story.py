"""The sentences that a person reads of one trace: what was wanted, what was done, how it ended.

They are the trace's own. A sentence tells something if it is no courtesy, no template and no code.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from services.summarizer.cleaning import own, prose
from services.summarizer.conduct import asks, declines, hands_over
from services.summarizer.courtesy import is_courtesy, without_greeting
from shared.content import split
from shared.messages import Turn, gathered
from shared.models import Conduct, Plan
from shared.wording import clean

LENGTH = 600  # characters of a summary
WANTED, DONE, ENDED = 280, 140, 180  # of its parts
ENOUGH = 120  # characters of a request that need no further turn to be understood
WORDS = 3  # of a sentence that tells something
TOOLS = 8
ESSAY = 4  # sentences from which an answer is told by its first one
NOTHING = "(empty)"

_WORD = re.compile(r"[^\W\d_]+")
_IDEOGRAPH = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# what asks: a wish anywhere in the sentence, or a question or an order at its beginning
_ASKING = re.compile(
    r"""(?:.{0,200}?\b)?(?:i['’]?(?:d|ll|m)?\s(?:would\s|am\s)?(?:like|need|want|looking|trying|wish|have\sto)
      |(?:can|could|would|will)\s(?:you|i|we)|(?:your|the|my)\s(?:task|goal|question|job)|please|help\sme)\b
      |(?:how|what|why|where|when|who|which|is|are|do|does|write|create|make|give|find|explain|show|fix|add)\b""",
    re.IGNORECASE | re.VERBOSE,
)
# what came of it
_OUTCOME = re.compile(
    r"""\b(?:successfully|(?:has|have)\s(?:now\s|also\s)?been|is\s(?:now\s)?(?:complete|confirmed|done|ready)|completed
      |(?:final\s)?(?:answer|solution|result|output|total)\s(?:is|should\sbe|will\sbe)|therefore|thus|in\s(?:summary|conclusion)
      |i(?:['’]ve|\shave)\s(?:\w+\s)?\w+ed|will\sbe\s\w+ed)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def tell(told: Sequence[Turn], asked: Sequence[str], facts: Conduct, plan: Plan, error: str | None) -> str:
    """At most LENGTH characters."""
    wanted = cut(_wanted(asked, plan), WANTED) if facts.user_turns or not facts.answer_length else ""
    parts = [wanted, _done(told, facts), _ended(told, facts, plan, error)]
    return clean(cut(" ".join(part for part in parts if part), LENGTH)) or NOTHING


def cut(text: str, length: int) -> str:
    """At most `length` characters, at a word's end, with a mark."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"


def telling(sentences: Iterable[str]) -> list[str]:
    """Those that tell something, without their greeting."""
    return [said for sentence in sentences if _tells(said := without_greeting(sentence))]


def _tells(sentence: str) -> bool:
    some = len(_WORD.findall(sentence)) >= WORDS or len(_IDEOGRAPH.findall(sentence)) > WORDS
    return some and not is_courtesy(sentence)


def _wanted(asked: Sequence[str], plan: Plan) -> str:
    """The first request; where it says little, what the user said next. Of a long one what asks for something."""
    found: list[str] = []
    for text in asked:
        lines = prose("\n".join(own(text, plan)))
        found += telling(sentence for line in lines for sentence in split(line))
        if sum(map(len, found)) >= ENOUGH:
            break
    if sum(map(len, found)) > WANTED:
        asking = [sentence for sentence in found[1:] if sentence.endswith(("?", "？")) or _ASKING.match(sentence)]
        found = found[:1] + (asking or found[1:])
    if not found:
        return _line(" ".join(own(gathered(asked), plan)))
    return _line(" ".join(f"{sentence}." if sentence[-1].isalnum() else sentence for sentence in found))


def _line(text: str) -> str:
    return " ".join(text.split())


def _done(told: Sequence[Turn], facts: Conduct) -> str:
    """The tools in order, those in a row once, and how many of their results were errors."""
    names = [name for turn in told for name in turn.tools]
    runs = [(name, sum(1 for _ in row)) for name, row in groupby(names)]
    if not runs:
        return ""
    shown = ", ".join(name if times == 1 else f"{name} ×{times}" for name, times in runs[:TOOLS])
    left = sum(times for _, times in runs[TOOLS:])
    more = f" and {left} more" if left else ""
    errors = f" ({facts.tool_errors} failed)" if facts.tool_errors else ""
    return f"Tools: {cut(shown, DONE)}{more}{errors}."


def _ended(told: Sequence[Turn], facts: Conduct, plan: Plan, error: str | None) -> str:
    """The last thing that the agent told, and how to take it."""
    if error:
        return cut(f"Error: {_line(error)}", ENDED)
    answers = [turn.text for turn in told if turn.role == "assistant" and turn.text]
    if not answers and not facts.handed_over:
        return "No answer." if any(turn.role in ("assistant", "tool") for turn in told) else ""
    return cut(_ending(answers, facts, plan), ENDED)


def _ending(answers: Sequence[str], facts: Conduct, plan: Plan) -> str:
    last = _sentences(answers[-1], plan) if answers else []
    if facts.handed_over:
        found = [sentence for answer in answers[-2:] for sentence in _sentences(answer, plan) if hands_over(sentence)]
        return f"Handed over: {found[-1]}" if found else "Handed over to a person."
    if facts.ends_in_question and last and asks(last[-1]):
        return f"Asked back: {last[-1]}"
    if facts.refusal and (found := [sentence for sentence in last if declines(sentence)]):
        return f"Declined: {found[0]}"
    said = next((found for answer in reversed(answers) if (found := _sentences(answer, plan))), [_line(answers[-1])])
    outcomes = [sentence for sentence in said if sentence.endswith((".", "!")) and _OUTCOME.search(sentence)]
    sentence = outcomes[0] if outcomes else said[0] if len(said) >= ESSAY else said[-1]
    return f"Answer: {sentence[:-1]}…" if sentence.endswith((":", "：", ",")) else f"Answer: {sentence}"


def _sentences(answer: str, plan: Plan) -> list[str]:
    """The telling sentences of an answer."""
    return telling(own("\n".join(prose(answer)), plan))
