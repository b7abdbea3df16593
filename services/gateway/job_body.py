"""A job as clients ask for it: LangSmith's JobCreate and our own fields, onto a JobConfig.

Clients send every field, with null for what was not set, and fields that we do not know: both are left out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import HTTPException
from pydantic import ValidationError

from shared.job_config import DEFAULT_MODEL, JobConfig, sentence

PROVIDERS = {"openai": DEFAULT_MODEL, "anthropic": "claude-haiku-4-5"}
MODELS = ("summary_model", "cluster_model")
OURS = frozenset(JobConfig.model_fields)
THEIRS = frozenset({"config_id", "model", "user_context", "is_scheduled", "validate_model_secrets"})
CONTEXT_ANSWERS, CONTEXT_LENGTH = 20, 10_000
_TYPES = {
    "str": "string",
    "text": "string",
    "categorical": "string",
    "enum": "string",
    "bool": "boolean",
    "int": "number",
    "integer": "number",
    "float": "number",
    "numeric": "number",
}


def asked(body: Any) -> dict[str, Any]:
    """What is set of the fields that are known. HTTPException 422 where it is no object."""
    if not isinstance(body, Mapping):
        raise HTTPException(422, "A job is a JSON object, such as JobConfig's fields: {} asks for all defaults.")
    return {name: body[name] for name in sorted(OURS | THEIRS) if body.get(name) is not None}


def job_config(values: Mapping[str, Any], most: int) -> JobConfig:
    """`most`: traces of a job, which is also its sample where none is given. HTTPException 422 says what is wrong."""
    user_context(values)
    provider = PROVIDERS.get(str(values.get("model")), DEFAULT_MODEL)
    ours = {name: value for name, value in values.items() if name in OURS}
    for name in MODELS:
        if name not in ours or _stands_for_a_default(ours[name]):
            ours[name] = PROVIDERS.get(str(ours.get(name)), provider)
    for name, mapped in (("attribute_schemas", _schemas), ("hierarchy", _hierarchy), ("sample", _number)):
        if name in ours:
            ours[name] = mapped(ours[name])
    for name in ("start_time", "end_time"):
        if isinstance(ours.get(name), str):
            ours[name] = _with_zone(ours[name])
    if ours.get("sample", "all") == "all":
        ours["sample"] = most
    try:
        config = JobConfig.model_validate(ours)
    except ValidationError as error:
        raise HTTPException(422, sentence(error)) from error
    if config.sample != "all" and config.sample > most:
        raise HTTPException(422, f"sample: at most {most:,}, unless whoever runs this sets INSIGHTS_MAX_SAMPLE.")
    return config


def user_context(values: Mapping[str, Any]) -> dict[str, str]:
    """The guided answers by question, if any. HTTPException 422."""
    found = values.get("user_context") or {}
    if not isinstance(found, Mapping) or not all(isinstance(one, str) for pair in found.items() for one in pair):
        raise HTTPException(422, "user_context: expected an object of questions with their answers, all texts.")
    if len(found) > CONTEXT_ANSWERS or sum(len(one) for pair in found.items() for one in pair) > CONTEXT_LENGTH:
        raise HTTPException(422, f"user_context: at most {CONTEXT_ANSWERS} answers of {CONTEXT_LENGTH:,} characters.")
    return dict(found)


def _stands_for_a_default(name: Any) -> bool:
    """A provider, or the id of a model configuration, which are kept at LangSmith's."""
    if not isinstance(name, str):
        return False
    if name in PROVIDERS:
        return True
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _schemas(schemas: Any) -> Any:
    """An attribute is described by an object, or by its type alone."""
    if not isinstance(schemas, Mapping):
        return schemas
    return {name: _schema(one) for name, one in schemas.items()}


def _schema(schema: Any) -> Any:
    given = {"type": schema} if isinstance(schema, str) else schema
    if not isinstance(given, Mapping):
        return given
    found = {key: value for key, value in given.items() if value is not None}
    kind = str(found.get("type", "string")).lower()
    if "enum" not in found and kind in ("categorical", "enum"):
        found |= {"enum": found["categories"]} if isinstance(found.get("categories"), list) else {}
    return found | {"type": _TYPES.get(kind, kind)}


def _hierarchy(levels: Any) -> Any:
    """LangSmith's has a number for each level, from the most specific to the top, and takes them in any order."""
    if not isinstance(levels, list | tuple) or not levels or not all(type(one) is int for one in levels):
        return levels
    return (max(levels), min(levels)) if len(levels) > 1 else (levels[0], None)


def _number(sample: Any) -> Any:
    if isinstance(sample, bool):
        raise HTTPException(422, "sample: expected a number of traces.")
    return int(sample) if isinstance(sample, float) and sample.is_integer() else sample


def _with_zone(text: str) -> str | datetime:
    """In UTC where it names no zone, as LangSmith reads it."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return text
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value
