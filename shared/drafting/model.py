"""A job's configuration by a model, in one call: its answer counts as far as the traces have what it names."""

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal

import chevron
from pydantic import BaseModel, Field

from shared.drafting.look import Look
from shared.drafting.rules import outline, prompt
from shared.listing import line
from shared.llm import Message, Request, Shape
from shared.wording import percent

OUTPUT = 800  # tokens
LONGEST = 1_000  # characters of an instruction or a question
ATTRIBUTES, VALUES, VARIABLES = 8, 20, 8
_TAG = re.compile(r"<(?=[\s/\\]*(?:application|to_be_found_out|variables|trace)\b)", re.IGNORECASE)


class DraftAttribute(BaseModel):
    name: str
    type: Literal["string", "number", "boolean"]
    description: str
    values: list[str] = Field(default_factory=list)


class Draft(BaseModel):
    instructions: str
    variables: list[str]
    attributes: list[DraftAttribute]


def request(agent: str, learn: str, look: Look, traces: Sequence[str], model: str) -> Request:
    """`traces`: some of them, each short, as text."""
    template = files("shared.drafting").joinpath("prompts", "draft.mustache").read_text(encoding="utf-8")
    instructions, _, data = template.partition("\n---\n")
    values = {
        "agent": _datum(agent),
        "learn": _datum(learn),
        "variables": [{"path": _datum(path), "share": percent(share)} for path, share in look.variables.items()],
        "traces": [_datum(trace) for trace in traces],
    }
    messages = (
        Message("system", chevron.render(instructions, {}).strip()),
        Message("user", chevron.render(data, values).strip()),
    )
    return Request(model, messages, Shape.of(Draft), OUTPUT)


def by_model(answer: Draft, learn: str, look: Look, traces: int) -> dict[str, Any]:
    """The values of a JobConfig. Variables that no trace has are left out; where none is left, those by rule count."""
    named = [path.strip(" {}") for path in answer.variables]
    paths = [path for path in dict.fromkeys(named) if path in look.variables][:VARIABLES]
    instructions = line(answer.instructions, LONGEST)
    return outline(learn, look, traces) | {
        "summary_prompt": prompt(instructions, look.chosen() if look.threaded or not paths else paths),
        "attribute_schemas": dict(_attribute(one) for one in answer.attributes[:ATTRIBUTES] if _name(one)),
    }


def _attribute(one: DraftAttribute) -> tuple[str, dict[str, Any]]:
    schema: dict[str, Any] = {"type": one.type, "description": line(one.description, LONGEST)}
    values = list(dict.fromkeys(text for value in one.values[:VALUES] if (text := line(value, 200))))
    return _name(one), schema | ({"enum": values} if values and one.type == "string" else {})


def _name(one: DraftAttribute) -> str:
    """Letters, digits and underscores; may be empty."""
    return re.sub(r"\W+", "_", one.name.strip().lower()).strip("_")[:80]


def _datum(text: str) -> str:
    return _TAG.sub("&lt;", text)
