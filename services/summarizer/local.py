"""A summary without a model: what was wanted, what was done and how it ended, out of the trace's own sentences.

Beside it, for the categorizer: the features of `trace-summaries`' recipe, and the facts of the conversation.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from services.summarizer.cleaning import joined, own, prose
from services.summarizer.conduct import conduct
from services.summarizer.language import language
from services.summarizer.story import tell
from services.summarizer.summarized import Summarized
from shared.asking import Asker
from shared.content import turns
from shared.context import Loaded
from shared.embedding.worker import Embedder
from shared.features import Features
from shared.frozen import FrozenJob
from shared.messages import Turn, gathered
from shared.models import Conduct, Plan, Run
from shared.prompts import Piece, values_only

LOOKED_AT = 8_000  # characters of the conversation that are counted as words
FIRST, ANSWER = 320, 240  # characters of first request and final answer in the gist
WORD = re.compile(r"[^\W\d]\w{1,39}")


@dataclass(frozen=True, slots=True)
class Summary:
    """`features` without vectors: those of `features.request` and `gist` ("" where nobody answered) are to be made."""

    text: str
    features: Features
    gist: str
    conduct: Conduct


async def summarize_item(embedder: Embedder, asker: Asker, frozen: FrozenJob, loaded: Loaded) -> Summarized:
    """Raises ItemError where a body is damaged. Asks no model."""
    summary = await asyncio.to_thread(summary_of, frozen, loaded)
    texts = [summary.features.request, summary.gist] if summary.gist else [summary.features.request]
    features = summary.features
    if (vectors := await embedder.encode(texts)) is not None:  # None: there are no weights
        features = replace(
            features,
            encoder=await embedder.name(),
            request_vector=vectors[0],
            gist_vector=vectors[1] if summary.gist else None,
        )
    return Summarized(summary.text, features, summary.conduct)


def summary_of(frozen: FrozenJob, loaded: Loaded) -> Summary:
    """CPU work: call it in a thread. Raises ItemError where a body is damaged."""
    return summarize(frozen.prompt.render(loaded.context()), frozen.plan, error_of(loaded.run))


def error_of(run: Run | None) -> str | None:
    if run is None or run.error is not None or run.status != "error":
        return run.error if run else None
    return "the trace says no more of it"


def summarize(pieces: Sequence[Piece], plan: Plan, error: str | None = None) -> Summary:
    """Of one rendered prompt; `error` is that of its run. CPU work of about a millisecond: call it in a thread."""
    everything = turns(values_only(pieces))
    told = [turn for turn in everything if turn.role != "system"] or everything
    asked = requests(told)
    answers = [turn.text for turn in told if turn.role == "assistant" and turn.text]
    request = joined(own(gathered(asked), plan))[: Features.REQUEST]
    spoken = [turn.text for turn in told if turn.role in ("user", "assistant")]
    features = Features(
        request=request,
        tools=_tools(told),
        words=_words(gathered(spoken)[:LOOKED_AT].lower()),
        length=sum(map(len, spoken)),
        language=language(joined(prose(request)) or request),
    )
    facts = conduct(told, error)
    gist = _gist(asked[0], answers[-1], plan) if asked and answers else ""
    return Summary(tell(told, asked, facts, plan, error), features, gist, facts)


def requests(told: Sequence[Turn]) -> list[str]:
    """What the user said; where nobody did, what was said first."""
    said = [turn.text for turn in told if turn.role == "user" and turn.text]
    return said or [turn.text for turn in told if turn.text][:1]


def _gist(first: str, answer: str, plan: Plan) -> str:
    return f"{joined(own(first, plan))[:FIRST]}\n{joined(prose(answer) or [answer])[:ANSWER]}"


def _tools(told: Iterable[Turn]) -> tuple[str, ...]:
    names = (name for turn in told for name in turn.tools)
    return tuple(name for name, _ in groupby(names))[: Features.TOOLS]


def _words(text: str) -> dict[str, int]:
    """The most frequent ones, ties by the alphabet, in alphabetical order."""
    ranked = sorted(Counter(WORD.findall(text)).items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(sorted(ranked[: Features.WORDS]))
