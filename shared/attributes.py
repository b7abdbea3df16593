"""What a model is asked of a job's attributes, and what of its answer counts.

The summarizer's call may ask for them too and leaves a draft; the extractor decides what counts. Both go by this.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from shared.asking import key_of
from shared.job_config import AttributeSchema, JobConfig
from shared.wording import clean

VERSION = 1  # of how attributes are asked for, in either call: raised, all are asked anew
DRAFTED = 8  # more attributes than this make the summary's call worse, and get one of their own
LONGEST = 1_000  # characters of a text
EXACT = 2**53  # larger integers are kept as floats, for no store takes them all
SHOWN = 80  # characters of a value that is shown because it is wrong
TEXT_TOKENS, VALUE_TOKENS = 120, 16  # room of an answer for a text, and for anything else, with its name
_NULL = re.compile(r"(?:null|unknown|n/?a|not (?:stated|specified|mentioned|known))?[.\s]*", re.IGNORECASE)
_WORDS = {"true": True, "yes": True, "false": False, "no": False}


class WrongValueError(ValueError):
    """Why a value is none of its attribute, in words that the model can act on."""


def drafted(config: JobConfig) -> bool:
    """Whether the summary's call asks for the attributes, too."""
    return 0 < len(config.attribute_schemas) <= DRAFTED and config.attribute_model is None


def model_of(config: JobConfig) -> str:
    """The model that tells the attributes."""
    return config.attribute_model or config.summary_model


def properties(schemas: Mapping[str, AttributeSchema]) -> dict[str, dict[str, Any]]:
    """Attribute name → JSON schema of its value, which may always be null."""
    return {name: _property(schema) for name, schema in schemas.items()}


def output_tokens(schemas: Mapping[str, AttributeSchema]) -> int:
    """At most what the values take in an answer, with their names."""
    return sum(
        len(name) // 2 + (TEXT_TOKENS if _is_open(schema) else VALUE_TOKENS + max(map(len, schema.enum or ("",))) // 2)
        for name, schema in schemas.items()
    )


def keys_of(config: JobConfig, content: str) -> dict[str, str]:
    """Attribute name → the key under which [value, why it is not known] is kept.

    `content` is what the model is shown of the item, without the words of the summary prompt. Whether a boolean
    filters is not part of the key: that asks nothing.
    """
    shown = key_of("content", content)
    model = model_of(config)
    return {
        name: key_of("attribute", VERSION, name, schema.model_dump(exclude={"filter_by"}), model, shown)
        for name, schema in config.attribute_schemas.items()
    }


def checked(schema: AttributeSchema, value: Any) -> Any:
    """The value as it counts, or None where it is not known. Raises WrongValueError for a value of another kind."""
    if value is None or (isinstance(value, str) and not schema.enum and _NULL.fullmatch(value)):
        return None
    if schema.type == "boolean":
        return _boolean(value)
    if schema.type == "number":
        return _number(value)
    if not isinstance(value, str):
        raise WrongValueError(f"{_shown(value)} is no text")
    return _chosen(schema.enum, value) if schema.enum is not None else clean(value[:LONGEST]).strip()


def _is_open(schema: AttributeSchema) -> bool:
    return schema.type == "string" and schema.enum is None


def _property(schema: AttributeSchema) -> dict[str, Any]:
    found: dict[str, Any] = {"type": [schema.type, "null"]}
    if schema.description:
        found["description"] = schema.description
    if schema.enum is not None:
        found["enum"] = [*schema.enum, None]
    return found


def _boolean(value: Any) -> bool:
    found = _WORDS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise WrongValueError(f"{_shown(value)} is neither true nor false")
    return found


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WrongValueError(f"{_shown(value)} is no number")
    if isinstance(value, int) and abs(value) <= EXACT:
        return value
    try:
        found = float(value)
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise WrongValueError(f"{_shown(value)} is no finite number")
    return found


def _chosen(allowed: tuple[str, ...], value: str) -> str | None:
    """One of the given values, whatever its case; of several that differ in case alone, as it is written."""
    if value in allowed:
        return value
    alike = [one for one in allowed if one.strip().casefold() == value.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    if _NULL.fullmatch(value):
        return None
    raise WrongValueError(f"{_shown(value)} is none of the given values")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = " ".join(clean(value[:SHOWN]).split())
        return f'"{text}{"…" if len(value) > SHOWN else ""}"'
    if isinstance(value, float | bool):
        return str(value).lower()
    return {dict: "an object", list: "a list", int: "an integer"}.get(type(value), "this")
