"""A value for any JSON schema, out of a reading of the messages.

Any property is filled, required or not. Arrays: one element for each listed item where the elements name an item by its
label (a field such as `id`, `index`, `item`), for each group of items else. What the data does not say is null where
the schema allows it. `pattern` and `format` are not looked at.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from insights.fake_model import values
from insights.fake_model.fields import Field
from insights.fake_model.groups import groups
from insights.fake_model.items import Item
from insights.fake_model.reading import Reading
from insights.fake_model.schema import Schema, alternatives, resolved, type_of
from insights.fake_model.words import cut, stem, words

MAX_DEPTH = 24
MAX_ELEMENTS = 1_000
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_BOUND = re.compile(r"(?i)\b(?:at most|up to|no more than)\s+(\d{1,4}|" + "|".join(_COUNTS) + r")\s+(.{0,60})")


def fill(schema: Schema, reading: Reading) -> Any:
    """A value that the schema allows."""
    return _Filler(schema).fill(schema, Field("", ""), reading, 0)


class _Filler:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def fill(self, schema: Any, field: Field, reading: Reading, depth: int) -> Any:
        choices = alternatives(resolved(schema, self._root), self._root)
        nullable = any(_allows_null(one) for one in choices)
        meant = next((one for one in choices if one.get("type") != "null"), None)
        if meant is None or (depth >= MAX_DEPTH and nullable):
            return None
        found = self._value(meant, field, reading, depth)
        return found if found is not None or nullable else self._least(meant, field, reading, depth)

    def _value(self, schema: Schema, field: Field, reading: Reading, depth: int) -> Any:
        """None where the data says nothing of it."""
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list):
            return _chosen(schema["enum"], field, reading)
        match type_of(schema):
            case "object":
                return self._object(schema, field, reading, depth)
            case "array":
                return self._array(schema, field, reading, depth)
            case "boolean":
                return values.boolean(field, reading)
            case "integer" | "number":
                return _number(schema, field, reading)
            case _:
                return _string(schema, field, reading)

    def _object(self, schema: Schema, field: Field, reading: Reading, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or depth >= MAX_DEPTH:
            return {}
        parts = _by_label(list(map(str, properties)), reading)
        filled: dict[str, Any] = {}
        for name, part in properties.items():
            own = field.child(str(name), resolved(part, self._root).get("description"))
            filled[name] = self.fill(part, own, parts.get(str(name), reading), depth + 1)
        return filled

    def _array(self, schema: Schema, field: Field, reading: Reading, depth: int) -> list[Any] | None:
        element = resolved(schema.get("items", {}), self._root)
        least, most = _count(schema, "minItems", 0), min(_count(schema, "maxItems", MAX_ELEMENTS), MAX_ELEMENTS)
        if depth >= MAX_DEPTH:
            return [self._least(element, field, reading, depth + 1)] * min(least, most)
        parts = self._parts(element, field, reading, min(most, _bound(field, reading)))
        own = Field(field.name, field.description)
        found = [self.fill(element, own, part, depth + 1) for part in parts]
        if type_of(element) == "string" and ("enum" not in element or not reading.items):
            found = list(dict.fromkeys(one for one in found if one))
        if not found and not least:
            return None if field.kind == "text" else []
        while len(found) < least:
            found.append(
                found[len(found) % max(1, len(parts))] if found else self._least(element, field, reading, depth + 1)
            )
        return found[:most]

    def _parts(self, element: Schema, field: Field, reading: Reading, most: int) -> list[Reading]:
        """The readings of which each becomes an element."""
        if self._names_item(element, field):
            return [reading.of([item]) for item in reading.items[:most]]
        if "enum" in element and reading.items:
            return [reading.of([item]) for item in reading.items[:most]]
        if type_of(element) == "string" and field.kind in ("text", "finding") and "enum" not in element:
            return _telling(field, reading, most)
        return groups(reading, most)

    def _names_item(self, element: Schema, field: Field) -> bool:
        if type_of(element) != "object":
            return field.is_id or type_of(element) == "integer"
        properties = element.get("properties")
        if not isinstance(properties, Mapping):
            return False
        return any(
            type_of(resolved(part, self._root)) in ("string", "integer") and field.child(str(name), "").is_id
            for name, part in properties.items()
        )

    def _least(self, schema: Schema, field: Field, reading: Reading, depth: int) -> Any:
        """What the schema allows where the data says nothing."""
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return values.fallback(schema["enum"])
        match type_of(schema):
            case "object":
                return self._object(schema, field, reading, depth + 1)
            case "array":
                element = resolved(schema.get("items", {}), self._root)
                return [self._least(element, field, reading, depth + 1) for _ in range(_count(schema, "minItems", 0))]
            case "boolean":
                return False
            case "integer" | "number":
                return _bounded(0, schema)
            case _:
                return _fitting(values.summary(reading), schema)


def _by_label(names: Sequence[str], reading: Reading) -> dict[str, Reading]:
    """The item that each name means (`3`, `item_3`), where each means one."""
    items = {item.label: item for item in reading.items}
    found = {name: items.get(name) or items.get(name[len(name.rstrip("0123456789")) :]) for name in names}
    return {name: reading.of([item]) for name, item in found.items() if item} if all(found.values()) else {}


def _allows_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or None in (schema.get("enum") or ())


def _chosen(allowed: Sequence[Any], field: Field, reading: Reading) -> Any:
    if len(reading.items) == 1 and (label := reading.items[0].label) in map(str, allowed):
        return next(value for value in allowed if str(value) == label)
    return values.choice(field, [value for value in allowed if value is not None], reading)


def _number(schema: Schema, field: Field, reading: Reading) -> float | int | None:
    if (given := values.option(field, reading)) and given.label.isdecimal():
        return int(given.label)
    if field.is_id and reading.items and reading.items[0].label.isdecimal():
        return int(reading.items[0].label)
    found = values.number(field, reading)
    return None if found is None else _bounded(found, schema)


def _bounded(value: float, schema: Schema) -> float | int:
    """Within the bounds, exclusive ones included; whole where it has to be."""
    whole = type_of(schema) == "integer"
    step = 1.0 if whole else 1e-6
    low = max(_limit(schema, "minimum", -math.inf), _limit(schema, "exclusiveMinimum", -math.inf) + step)
    high = min(_limit(schema, "maximum", math.inf), _limit(schema, "exclusiveMaximum", math.inf) - step)
    value = max(low, min(high, value))
    if not whole:
        return value
    return math.ceil(value) if value == low else math.floor(value)


def _limit(schema: Schema, word: str, default: float) -> float:
    found = schema.get(word)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else default


def _count(schema: Schema, word: str, default: int) -> int:
    found = schema.get(word)
    return found if isinstance(found, int) and 0 <= found <= MAX_ELEMENTS else default


def _string(schema: Schema, field: Field, reading: Reading) -> str | None:
    is_label = field.is_id and reading.items and values.option(field, reading) is None
    found = reading.items[0].label if is_label else values.string(field, reading)
    return None if found is None else _fitting(found, schema)


def _fitting(text: str, schema: Schema) -> str:
    text = cut(text, _count(schema, "maxLength", MAX_ELEMENTS))
    return text.ljust(_count(schema, "minLength", 0), ".")


def _bound(field: Field, reading: Reading) -> int:
    """`at most five names` in the field's description or the instructions, for a field `names`."""
    for found in _BOUND.finditer(f"{field.description}\n{reading.asked}"):
        if field.stems & {stem(word) for word in words(found[2])}:
            count = found[1].lower()
            return int(count) if count.isdecimal() else _COUNTS.index(count) + 1
    return MAX_ELEMENTS


def _telling(field: Field, reading: Reading, most: int) -> list[Reading]:
    """A reading of each sentence that shares a word with the field, or that holds figures for findings; a few."""
    wanted = field.stems
    found = [one for one in reading.sentences if wanted & {stem(word) for word in words(one)}]
    if field.kind == "finding":
        found = [one for one in reading.sentences if re.search(r"\d", one)]
    return [reading.of([Item(str(place), one)]) for place, one in enumerate(found[: min(most, 5)], 1)]
