"""Title, key findings and highlighted traces by the model, each number checked; what cannot be had is made without."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.aggregator.figure_lines import Line, figure_lines, whole_line
from services.aggregator.findings import MOST_POINTS, Findings
from services.aggregator.highlights import MOST, Offer, highlighted_as, offers
from services.aggregator.numbers import computed, strange
from shared.asking import Asker, Purpose
from shared.listing import Name, Sentence, datum, line
from shared.models import FEW, Cluster, HighlightedTrace, Job, Stage
from shared.questions import Questions

LONGEST = 400  # characters of a finding
LOOKED_AT = 20  # findings of an answer
SUMMARY = 320  # of a candidate
ANSWER = 90  # tokens of a finding or a reason


class KeyFindings(BaseModel):
    """To `findings.mustache`."""

    title: Name
    findings: list[str]


class Highlight(BaseModel):
    id: int
    reason: Sentence


class Highlights(BaseModel):
    """To `highlights.mustache`."""

    highlights: Annotated[list[Highlight], Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class Written:
    """`trust`: what became of the questions (`Report.trust`)."""

    findings: Findings
    trust: dict[str, Any]


async def write(
    job: Job, asker: Asker, clusters: Sequence[Cluster], whole: Mapping[str, Any], local: Findings
) -> Written:
    """`local` stands where the model gives nothing that holds, and where there are too few items for categories."""
    questions = Questions(asker, Purpose.of(job, Stage.FINDINGS), job.config.cluster_model, __package__)
    if whole["run_count"] < FEW:
        return Written(local, {})
    writer = _Writer(questions, clusters, whole, job.config.unit)
    told = await writer.findings(local)
    found = replace(told, highlighted_traces=await writer.highlights(local))
    return Written(found, {"refused": writer.refused, **dict(sorted(questions.unanswered.items()))})


class _Writer:
    """Of one report."""

    def __init__(self, questions: Questions, clusters: Sequence[Cluster], whole: Mapping[str, Any], unit: str) -> None:
        self._questions, self._clusters, self._whole, self._unit = questions, clusters, whole, unit
        self._lines = figure_lines(clusters, whole, unit)
        self._all = whole_line(clusters, whole, unit)
        self.refused = 0

    async def findings(self, local: Findings) -> Findings:
        first = await self._ask({})
        if first is None:
            return local
        refused = {text: why for text in first.findings[:LOOKED_AT] if (why := self._wrong(text))}
        good = [text for text in first.findings[:LOOKED_AT] if text not in refused]
        if refused and len(good) < MOST_POINTS:
            shown = [datum(f"{text} (refused: {why})", LONGEST + 200) for text, why in refused.items()]
            second = await self._ask({"again": {"refused": shown[:MOST_POINTS]}})
            good += [text for text in (second.findings[:LOOKED_AT] if second else ()) if not self._wrong(text)]
        self.refused = len(refused)
        points = list(dict.fromkeys(line(text, LONGEST) for text in good))[:MOST_POINTS]
        title = local.title if self._wrong(first.title) else first.title
        return replace(local, title=title, key_points=tuple(points) or local.key_points)

    async def _ask(self, more: Mapping[str, Any]) -> KeyFindings | None:
        values = {
            "unit": self._unit,
            "most": MOST_POINTS,
            "whole": self._all,
            "lines": [one.text for one in self._lines],
            **more,
        }
        return await self._questions.ask("findings", values, KeyFindings, 60 + ANSWER * MOST_POINTS)

    def _wrong(self, text: str) -> str:
        """Why a sentence is not told; "" where it is."""
        return wrong(text, self._lines, self._all)

    async def highlights(self, local: Findings) -> tuple[HighlightedTrace, ...]:
        offered = offers(local.picked, self._clusters, self._whole)
        if not offered:
            return local.highlighted_traces
        shown = [{"id": at, "text": _offer_text(one)} for at, one in enumerate(offered, 1)]
        values = {"unit": self._unit, "most": MOST, "traces": shown}
        answer = await self._questions.ask("highlights", values, Highlights, 40 + ANSWER * MOST)
        chosen: dict[int, str] = {}
        for one in answer.highlights if answer else ():
            if 1 <= one.id <= len(offered):
                chosen.setdefault(one.id - 1, one.reason)
        if not chosen:
            return local.highlighted_traces
        reasons = [(offered[at], _reason(offered[at], told)) for at, told in chosen.items()]
        return highlighted_as([(one, reason) for one, reason in reasons if reason][:MOST])


def wrong(text: str, lines: Sequence[Line], whole: str) -> str:
    """Why a sentence is not told, in words for the model; "" where its numbers are of all or of what it names."""
    if not text.strip():
        return "it is empty"
    if len(text) > LONGEST:
        return "it is too long"
    if text.count("(") != text.count(")"):
        return "it ends within brackets"
    rest, named = text, set()
    for name in sorted({one.name for one in lines}, key=lambda name: (-len(name), name)):
        rest, count = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", " ", rest, flags=re.IGNORECASE)
        if count:
            named.add(name)
    if word := computed(rest):
        return f"“{word}” is computed"
    if found := strange(rest, [whole, *(one.figures for one in lines if one.name in named)]):
        return f"{', '.join(found[:5])} is no number of all or of a category that it names"
    return ""


def _offer_text(offer: Offer) -> str:
    parts = (offer.reason, offer.cluster_name or "", offer.summary or "")
    return datum(". ".join(part for part in parts if part), SUMMARY)


def _reason(offer: Offer, told: str) -> str:
    """The model's, if its numbers are the trace's; else why it was picked."""
    return offer.reason if strange(told, [_offer_text(offer)]) or not told else told
