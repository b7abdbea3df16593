"""List prices of models, from `prices.yaml` and a file of the user's; a model in neither has none, not zero."""

import re
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import UsageError

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_DATE = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


class Price(BaseModel):
    """US dollars a million tokens. Cached input costs what input does, and output nothing, where they are left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Dollars
    cached_input: Dollars
    output: Dollars = 0.0

    @model_validator(mode="before")
    @classmethod
    def _cached_like_input(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("cached_input") is None and "input" in values:
            return {**values, "cached_input": values["input"]}
        return values


class Prices(BaseModel):
    """Prices by a model's name, and the day on which they were looked up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    models: dict[str, Price]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Those of `prices.yaml`, and over them those of the user's file in the same form. UsageError: what is wrong.

        The user's file may leave out `as_of`; JSON is YAML too.
        """
        listed = cls.model_validate(yaml.safe_load(files(__package__).joinpath("prices.yaml").read_text()))
        if path is None:
            return listed
        own = cls._of_user(path, listed.as_of)
        return cls(as_of=own.as_of, models={**listed.models, **own.models})

    @classmethod
    def _of_user(cls, path: Path, as_of: date) -> Self:
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls.model_validate({"as_of": as_of, **values} if isinstance(values, dict) else values)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
            hint = "write it as in shared/llm/prices.yaml: models, and for each its input and output in $ a million"
            raise UsageError(f"{path} is no file of prices: {hint}. {_first_line(error)}") from error

    def of(self, model: str) -> Price | None:
        """By the whole name, else without provider and date: `openai/gpt-5-mini`, `gpt-5-mini-2025-08-07`.

        Some providers write Claude's version with a dot: `anthropic/claude-haiku-4.5`.
        """
        bare = bare_name(model)
        names = (model, model.lower(), bare, bare.replace(".", "-"))
        return next((self.models[name] for name in names if name in self.models), None)


def bare_name(model: str) -> str:
    """A model's name in lower case without its provider's prefix and its date."""
    name = model.strip().lower().rpartition("/")[2]
    return _DATE.sub("", name.removesuffix("-latest"))


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors(include_url=False, include_context=False)[0]
        return f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}."
    return str(error).partition("\n")[0]
