"""The JSON that an answer has to be: its schema, in the form that OpenAI's strict mode takes, and its check."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from pydantic import BaseModel, ValidationError

from shared.llm.tokens import estimate_tokens
from shared.wording import clean

# Keywords that strict mode refuses or ignores; the check of the answer still holds them.
_LEFT_OUT = {"default", "title", "examples", "$schema", "minLength", "maxLength", "uniqueItems"}
_NAMES = {"properties", "$defs", "definitions"}  # their keys are names of the user's, not keywords
_DATA = {"enum", "const"}
_BAD_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")
WRONG_LENGTH = 300  # characters of what is wrong with an answer


class ShapeError(ValueError):
    """What is wrong with an answer, in words that the model can act on."""


@dataclass(frozen=True)
class Shape:
    """An object's JSON schema, or that of a pydantic model, which then checks the answer too."""

    name: str
    schema: dict[str, Any]
    model: type[BaseModel] | None = None

    @classmethod
    def of(cls, model: type[BaseModel]) -> "Shape":
        return cls(model.__name__, model.model_json_schema(), model)

    @cached_property
    def response_format(self) -> dict[str, Any]:
        """For an endpoint that takes schemas."""
        name = _BAD_IN_NAME.sub("_", self.name)[:64] or "answer"
        return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": strict(self.schema)}}

    @cached_property
    def instruction(self) -> str:
        """For an endpoint that takes none, and for an answer that missed it."""
        schema = json.dumps(strict(self.schema), ensure_ascii=False, separators=(",", ":"))
        return f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"

    @cached_property
    def tokens(self) -> int:
        """About what the schema adds to a prompt, in either form."""
        return estimate_tokens(self.instruction)

    def check(self, value: Any) -> dict[str, Any]:
        """The value, if it fits; with a pydantic model, as that reads it. ShapeError says where it does not."""
        if not isinstance(value, dict):
            raise ShapeError("It is JSON, but no object.")
        if self.model is not None:
            try:
                return self.model.model_validate(value).model_dump(mode="json")
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False)[0]
                raise _wrong(first["loc"], first["msg"]) from None  # the cause would show the answer
        for problem in self._validator.iter_errors(value):
            raise _wrong(problem.absolute_path, problem.message)
        return value

    @cached_property
    def _validator(self) -> Validator:
        return Draft202012Validator(self.schema)


def strict(schema: Any) -> Any:
    """A copy for strict mode: no object takes other keys, and all its keys are required.

    A key that may be missing must therefore allow null, or the model has to fill it.
    """
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _part(name, value) for name, value in schema.items() if name not in _LEFT_OUT}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    if "properties" in kept or kept.get("type") == "object":
        kept["properties"] = kept.get("properties", {})
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept


def _part(name: str, value: Any) -> Any:
    if name in _DATA:
        return value
    if name in _NAMES and isinstance(value, dict):
        return {key: strict(one) for key, one in value.items()}
    return strict(value)


def _wrong(path: Any, message: str) -> ShapeError:
    place = ".".join(str(part) for part in path) or "The answer"
    return ShapeError(clean(f"{place}: {message}")[:WRONG_LENGTH])
