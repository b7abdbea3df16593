"""JSON Schema as far as structured output uses it: references, unions, nullability."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_DEPTH = 32


def resolved(schema: Any, root: Schema) -> Schema:
    """Behind `$ref` and with the parts of `allOf` put together; `{}`, which allows all, for what is no schema."""
    found: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
    for _ in range(_DEPTH):
        if isinstance(found.get("$ref"), str):
            target = _target(found.pop("$ref"), root)
            found = {**target, **found}
        elif isinstance(found.get("allOf"), list):
            for part in found.pop("allOf"):
                found = {**found, **(part if isinstance(part, Mapping) else {})}
        else:
            break
    return found


def _target(reference: str, root: Schema) -> Schema:
    """What `#/$defs/Name` names; `{}` where it names nothing."""
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """The schemas of which one must hold, each resolved: of `anyOf`, `oneOf`, or a list of types."""
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            rest = {key: value for key, value in schema.items() if key != word}
            return [{**rest, **resolved(part, root)} for part in schema[word]]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": kind} for kind in schema["type"]]
    return [schema]


def type_of(schema: Schema) -> str:
    """Its type, or the one that its keywords are about."""
    if isinstance(schema.get("type"), str):
        return str(schema["type"])
    for word, kind in (("properties", "object"), ("items", "array"), ("minimum", "number")):
        if word in schema:
            return kind
    return "string"


def field_names(schema: Any) -> frozenset[str]:
    """The names of all properties anywhere in it, in lower case."""
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Mapping):
            properties = found.get("properties")
            if isinstance(properties, Mapping):
                names.update(str(name).lower() for name in properties)
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return frozenset(names)
