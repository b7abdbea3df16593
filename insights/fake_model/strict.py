"""What OpenAI refuses of a schema with `strict`: an object that allows more than it names, or leaves some of it out."""

from collections.abc import Mapping
from typing import Any

from insights.fake_model.errors import ApiError, bad_request


def check(schema: Any, name: str) -> None:
    """ApiError for the first part that is against the rules."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise _invalid(name, (), "schema must be a JSON Schema of 'type: \"object\"'")
    waiting: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    while waiting:
        place, part = waiting.pop()
        if isinstance(part, Mapping):
            if isinstance(part.get("properties"), Mapping):
                _check_object(part, name, place)
            waiting.extend(((*place, str(key)), value) for key, value in part.items())
        elif isinstance(part, list):
            waiting.extend(((*place, str(index)), value) for index, value in enumerate(part))


def _check_object(part: Mapping[str, Any], name: str, place: tuple[str, ...]) -> None:
    if part.get("additionalProperties") is not False:
        raise _invalid(name, place, "'additionalProperties' is required to be supplied and to be false")
    required = part.get("required")
    missing = sorted(set(map(str, part["properties"])) - set(map(str, required if isinstance(required, list) else ())))
    if missing:
        raise _invalid(name, place, f"'required' must include every key in properties. Missing '{missing[0]}'")


def _invalid(name: str, place: tuple[str, ...], what: str) -> ApiError:
    return bad_request(f"Invalid schema for response_format '{name}': In context={place}, {what}.", "response_format")
