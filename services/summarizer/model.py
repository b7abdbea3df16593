"""A summary by a model, in one call a trace, which may leave a draft of the attributes.

Kept are the summary and each attribute by itself: a new summary prompt asks for no attribute again, and a new attribute
for no summary. What the trace says reaches the model as data (`shared/cutting.py`), and what the model says is bounded,
its quotes checked.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import chevron
from pydantic import BaseModel, StringConstraints

from services.summarizer.language import language
from services.summarizer.local import Summary, error_of, summarize
from services.summarizer.summarized import Summarized
from shared.asking import Asker, Purpose, key_of, request_key
from shared.attributes import WrongValueError, checked, drafted, keys_of, output_tokens, properties
from shared.context import Loaded
from shared.cutting import Cut, cut
from shared.embedding.worker import Embedder
from shared.features import Features
from shared.frozen import FrozenJob
from shared.job_config import AttributeSchema, JobConfig
from shared.llm import Message, Request, Shape
from shared.models import Stage
from shared.prompts import Piece, joined
from shared.quotes import found
from shared.transcript import plain

LENGTH = 600  # characters of a summary
OUTPUT = 250  # tokens of an answer without attributes
PROMPT = Path(__file__).parent / "prompts" / "summary.mustache"
TEXT_OR_NULL = {"type": ["string", "null"]}


class Answer(BaseModel):
    """Of all that a model answers only the summary must be right: quotes are dropped, attributes asked for again."""

    summary: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    quote: Any = None
    attributes: Any = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item before a model is asked: what it will read, and what is known without one."""

    read: Cut
    text: str
    local: Summary


async def summarize_item(embedder: Embedder, asker: Asker, frozen: FrozenJob, loaded: Loaded) -> Summarized:
    """Raises ItemError where a body is damaged, and what `Asker.ask` raises."""
    prepared = await asyncio.to_thread(_prepare_if_wanted, asker, frozen, loaded)
    answer, draft = await _answer(asker, frozen, prepared)
    text = _bounded(answer["summary"])
    quotes = [quote.strip()] if isinstance(quote := answer.get("quote"), str) and quote.strip() else []
    true = tuple(_bounded(quote) for quote in quotes if found(quote, prepared.read.content))
    return Summarized(
        text=text,
        features=await _features(embedder, frozen.job.config, replace(prepared.local.features, request=text)),
        conduct=prepared.local.conduct,
        draft=draft,
        quotes=true,
        quotes_dropped=len(quotes) - len(true),
        unread=prepared.read.unread,
    )


def _prepare_if_wanted(asker: Asker, frozen: FrozenJob, loaded: Loaded) -> Prepared:
    """Items wait for their turn of the CPU: a refused key ends the job before they are all read."""
    asker.check(Purpose.of(frozen.job, Stage.SUMMARIES))
    return prepare(frozen, loaded)


def prepare(frozen: FrozenJob, loaded: Loaded) -> Prepared:
    """CPU work: call it in a thread. Raises ItemError where a body is damaged."""
    pieces = frozen.prompt.render(loaded.context())
    read, error = cut(pieces), error_of(loaded.run)
    failed = [Piece("The run failed:", is_value=False), Piece(plain(error), is_value=True)] if error else []
    return Prepared(read, f"{read.text}\n{joined(failed)}".strip(), summarize(pieces, frozen.plan, error))


def request(config: JobConfig, text: str, schemas: Mapping[str, AttributeSchema]) -> Request:
    """One call for the summary, and for the attributes of `schemas`; `text` is the summary prompt with its trace."""
    wanted: dict[str, Any] = {"summary": {"type": "string"}, "quote": TEXT_OR_NULL}
    if schemas:
        wanted["attributes"] = {"type": "object", "properties": properties(schemas)}
    shape = Shape("summary", {"type": "object", "properties": wanted}, Answer)
    instructions = chevron.render(_template(), {"attributes": bool(schemas)}).strip()
    messages = (Message("system", instructions), Message("user", text))
    return Request(config.summary_model, messages, shape, OUTPUT + output_tokens(schemas))


def summary_key(config: JobConfig, text: str) -> str:
    """Under which a summary is kept: of the request that asks for it alone."""
    return key_of("summary", request_key(request(config, text, {})))


async def _answer(asker: Asker, frozen: FrozenJob, prepared: Prepared) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The answer, and a draft of the attributes if it is new: those of a kept one are the extractor's to look for."""
    purpose = Purpose.of(frozen.job, Stage.SUMMARIES)
    key = summary_key(frozen.job.config, prepared.text)
    async with asker.alone(purpose, [key]):
        return await _kept_or_asked(asker, frozen, prepared, purpose, key)


async def _kept_or_asked(
    asker: Asker, frozen: FrozenJob, prepared: Prepared, purpose: Purpose, key: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    config = frozen.job.config
    kept = await asker.kept(purpose, [key], config.summary_model)
    if key in kept:
        return kept[key], None
    keys = keys_of(config, prepared.read.content) if drafted(config) else {}
    known = await asker.kept(Purpose.of(frozen.job, Stage.ATTRIBUTES), list(keys.values()), config.summary_model)
    schemas = {name: config.attribute_schemas[name] for name, own in keys.items() if own not in known}
    answer = await asker.ask(purpose, request(config, prepared.text, schemas))
    told = answer.get("attributes")
    draft = {name: told[name] for name in schemas if name in told} if isinstance(told, dict) else {}
    summary = {key: {"summary": answer["summary"], "quote": answer.get("quote")}}
    await asker.keep(purpose, summary, {Stage.ATTRIBUTES: _valid(schemas, draft, keys)})
    return answer, draft if keys else None


def _valid(
    schemas: Mapping[str, AttributeSchema], draft: Mapping[str, Any], keys: Mapping[str, str]
) -> dict[str, list[Any]]:
    """By key, in the form in which the extractor keeps them; it asks again for what is wrong."""
    values: dict[str, list[Any]] = {}
    for name in schemas.keys() & draft.keys():
        try:
            values[keys[name]] = [checked(schemas[name], draft[name]), None]
        except WrongValueError:
            continue
    return values


async def _features(embedder: Embedder, config: JobConfig, features: Features) -> Features:
    """With the vector of the summary, unless the categorizer asks the job's own model for it, or without weights."""
    features = replace(features, language=language(features.request))
    if config.embedding_model:
        return features
    found = await embedder.encode([features.request])
    return features if found is None else replace(features, encoder=await embedder.name(), request_vector=found[0])


def _bounded(text: str) -> str:
    """On one line, without what cannot be printed, at most LENGTH characters, cut after a word."""
    printable = "".join(one if one.isprintable() else " " for one in text[: 8 * LENGTH])
    words = " ".join(printable.split())
    return words if len(words) <= LENGTH else f"{words[: LENGTH - 1].rpartition(' ')[0] or words[: LENGTH - 1]}…"


@cache
def _template() -> str:
    return PROMPT.read_text(encoding="utf-8")
