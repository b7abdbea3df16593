"""Attributes that pull items with like values into the same categories, as columns beside the vectors.

The weight is from `benchmarks/attributes.py`: the smallest at which subcategories clearly follow a boolean, and at
which the topics still decide what the categories are about.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.categorizer.clustering.sphere import Array
from shared.job_config import AttributeSchema

WEIGHT = 0.25  # mean squared length of an item's columns, beside 1 of its vector, where half of all say yes
FREQUENT = 0.02  # of all items: what an open value needs, so that there are never more than fifty columns
_OUTLIER = 2.0  # standard deviations: beyond them a number pulls no harder


def columns(attributes: Sequence[Mapping[str, Any]], schemas: Mapping[str, AttributeSchema]) -> Array | None:
    """(n, c) float32 for n items with their attributes; None where no attribute tells items apart.

    A boolean and a string with `enum` have a column for each value and one for "not known", a number has one. The mean
    of each is 0: a value pulls the more the rarer it is, and "not known" hardly where most is not known. A string
    without `enum` has columns for its frequent values, if most items have one of these: else it is free text, and like
    texts are near each other as it is.
    """
    found = [block for name, schema in schemas.items() if (block := _block(attributes, name, schema)) is not None]
    if not found:
        return None
    return np.hstack(found).astype(np.float32) * np.float32(math.sqrt(WEIGHT / len(found)))


def _block(attributes: Sequence[Mapping[str, Any]], name: str, schema: AttributeSchema) -> Array | None:
    values = [one.get(name) for one in attributes]
    if schema.type == "number":
        return _scaled(values)
    if schema.type == "boolean":
        return _indicators(values, (True, False))
    return _indicators(values, schema.enum if schema.enum is not None else _frequent(values))


def _frequent(values: Sequence[Any]) -> list[str]:
    """The values that many items have, in the order of the alphabet; none of a text that most items have their own."""
    counts = Counter(value for value in values if isinstance(value, str))
    many = {value: n for value, n in counts.items() if n >= max(2, FREQUENT * len(values))}
    return sorted(many) if sum(many.values()) > counts.total() / 2 else []


def _indicators(values: Sequence[Any], known: Sequence[Any]) -> Array | None:
    """A column for each known value and one for none of them, each less its mean: (n, values + 1)."""
    place = {value: at for at, value in enumerate(known)}
    none = len(known)
    held = np.array([place.get(value, none) if isinstance(value, bool | str) else none for value in values], np.int64)
    if len(np.unique(held)) < 2:
        return None
    one_hot = held[:, None] == np.arange(none + 1)
    return np.asarray((one_hot - one_hot.mean(axis=0)) * math.sqrt(2), np.float32)


def _scaled(values: Sequence[Any]) -> Array | None:
    """Standard deviations from the mean, as one column (n, 1); 0 where unknown."""
    numbers = np.array([_number(value) for value in values])
    known = np.isfinite(numbers)
    if not known.any() or np.ptp(numbers[known]) == 0:
        return None
    scaled = (numbers - numbers[known].mean()) / numbers[known].std()
    return np.where(known, np.clip(np.nan_to_num(scaled), -_OUTLIER, _OUTLIER), 0)[:, None].astype(np.float32)


def _number(value: Any) -> float:
    """NaN for what is no number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan
