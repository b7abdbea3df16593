"""Attributes by a model: what the summary's call left as a draft, and one call for what is missing or invalid in it.

Values are kept one by one, so that an attribute that is added to a job asks for itself alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import chevron
from pydantic import RootModel

from services.attribute_extractor.extracted import Extracted
from shared.asking import Asker, Purpose
from shared.attributes import WrongValueError, checked, drafted, keys_of, model_of, output_tokens, properties
from shared.context import load
from shared.cutting import cut
from shared.embedding.worker import Embedder
from shared.ending import LEFT_OUT_BY
from shared.frozen import FrozenJob
from shared.job_config import AttributeSchema, JobConfig
from shared.llm import Message, Request, Shape
from shared.models import Item, Stage
from shared.store import Store

PROMPTS = Path(__file__).parent / "prompts"
MISSING = "it is missing"


class Values(RootModel[dict[str, Any]]):
    """Any object: one value that is wrong must not spoil the others, so each is checked by itself."""


@dataclass(slots=True)
class Found:
    """Values that count, null among them; why some are null; and what is wrong with those to ask for again."""

    values: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def take(self, schemas: Mapping[str, AttributeSchema], answer: Mapping[str, Any]) -> None:
        """The values of an answer. What is wrong for the second time is null, with the reason."""
        for name, schema in schemas.items():
            try:
                self.values[name] = checked(schema, answer[name])
            except (WrongValueError, KeyError) as error:
                problem = str(error) if isinstance(error, WrongValueError) else MISSING
                if name in self.problems:
                    self.values[name], self.unknown[name] = None, f"The model's answer was wrong twice: {problem}."
                self.problems[name] = problem


async def extract(store: Store, embedder: Embedder, asker: Asker, frozen: FrozenJob, item: Item) -> Extracted:
    """Every attribute of the job. Raises ItemError where a body is damaged, and what `Asker.ask` raises."""
    config = frozen.job.config
    found = Found()
    if drafted(config) and item.draft:
        found.take({name: one for name, one in config.attribute_schemas.items() if name in item.draft}, item.draft)
    if found.values.keys() != config.attribute_schemas.keys():
        [loaded] = await load(store, [item], frozen.prompt)
        read = await asyncio.to_thread(lambda: cut(frozen.prompt.render(loaded.context())))
        await _complete(asker, frozen, read.content, found)
    values = {name: found.values[name] for name in config.attribute_schemas}
    return Extracted(values, found.unknown, _left_out(config, values))


async def _complete(asker: Asker, frozen: FrozenJob, text: str, found: Found) -> None:
    """The values that are not found yet, kept or new. Items that say the same ask once."""
    config, purpose = frozen.job.config, Purpose.of(frozen.job, Stage.ATTRIBUTES)
    wanted = {name: one for name, one in config.attribute_schemas.items() if name not in found.values}
    keys = {name: key for name, key in keys_of(config, text).items() if name in wanted}
    async with asker.alone(purpose, list(keys.values())):
        kept = await asker.kept(purpose, list(keys.values()), model_of(config))
        for name in [name for name, key in keys.items() if key in kept]:
            found.values[name], reason = kept[keys[name]]
            found.unknown |= {name: reason} if reason else {}
            del wanted[name]
        while wanted:  # twice at most: what is wrong a second time is null
            problems = {name: found.problems[name] for name in wanted if name in found.problems}
            found.take(wanted, await asker.ask(purpose, request(config, wanted, text, problems)))
            told = [name for name in wanted if name in found.values]
            await asker.keep(purpose, {keys[name]: [found.values[name], found.unknown.get(name)] for name in told})
            wanted = {name: one for name, one in wanted.items() if name not in found.values}


def request(
    config: JobConfig, schemas: Mapping[str, AttributeSchema], text: str, problems: Mapping[str, str]
) -> Request:
    """One call for these attributes; `problems` says what is wrong with the values that were answered before."""
    shape = Shape("attributes", {"type": "object", "properties": properties(schemas)}, Values)
    again = [{"name": name, "problem": problem} for name, problem in problems.items()]
    messages = [Message("system", chevron.render(_template("attributes"), {})), Message("user", text)]
    messages += [Message("user", chevron.render(_template("again"), {"problems": again}))] if again else []
    return Request(model_of(config), tuple(messages), shape, 20 + output_tokens(schemas))


def _left_out(config: JobConfig, values: Mapping[str, Any]) -> str | None:
    """What is not known to be true does not pass a filter, either."""
    failed: Sequence[str] = [
        name for name, schema in config.attribute_schemas.items() if schema.filter_by and values[name] is not True
    ]
    return f"{LEFT_OUT_BY}{failed[0]}" if failed else None


@cache
def _template(name: str) -> str:
    return (PROMPTS / f"{name}.mustache").read_text(encoding="utf-8")
