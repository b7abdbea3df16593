"""steering.columns: attributes as columns that pull like items together."""

from typing import Any

import numpy as np
import pytest

from services.categorizer import clustering, steering
from services.categorizer.clustering.sphere import unit
from shared.job_config import AttributeSchema

BOOLEAN = AttributeSchema(type="boolean")
SCHEMAS = {
    "urgent": BOOLEAN,
    "topic": AttributeSchema(type="string", enum=("billing", "login")),
    "usd": AttributeSchema(type="number"),
    "note": AttributeSchema(type="string"),
}


def rows(*values: Any, name: str = "urgent") -> list[dict[str, Any]]:
    return [{name: value} for value in values]


def test_items_with_like_values_are_nearer_than_items_with_others() -> None:
    found = steering.columns(rows(True, True, False, False), {"urgent": BOOLEAN})
    assert found is not None
    likeness = found @ found.T
    assert likeness[0, 1] > 0 > likeness[0, 2]


def test_all_attributes_together_weigh_what_one_weighs() -> None:
    one = steering.columns(rows(True, False), {"urgent": BOOLEAN})
    values = [{"urgent": True, "topic": "login", "usd": 1}, {"urgent": False, "topic": "billing", "usd": 3}]
    all_of_them = steering.columns(values, SCHEMAS)
    assert one is not None
    assert all_of_them is not None
    assert np.square(one).sum(axis=1) == pytest.approx(steering.WEIGHT)
    assert np.square(all_of_them).sum(axis=1) == pytest.approx(steering.WEIGHT)


@pytest.mark.parametrize("values", [(None, None), (True, True), ("text", "other text")])
def test_what_tells_no_items_apart_pulls_nothing(values: tuple[Any, ...]) -> None:
    assert steering.columns(rows(*values), {"urgent": BOOLEAN}) is None
    assert steering.columns(rows(*values, name="note"), {"note": SCHEMAS["note"]}) is None
    assert steering.columns([], {"urgent": BOOLEAN}) is None


def test_frequent_values_of_an_open_attribute_pull_and_a_text_of_ones_own_does_not() -> None:
    schemas = {"note": SCHEMAS["note"]}
    found = steering.columns(rows("late", "late", "refund", "refund", "once", name="note"), schemas)
    assert found is not None
    likeness = found @ found.T
    assert likeness[0, 1] > 0 > likeness[0, 2]
    assert found.shape[1] == 3
    own = [f"text {n}" for n in range(98)]
    assert steering.columns(rows("same", "same", *own, name="note"), schemas) is None


def test_an_unknown_number_is_an_average_one_and_a_huge_one_is_bounded() -> None:
    found = steering.columns(rows(1, 2, 3, None, 10**400, *[2] * 50, 1e12, name="usd"), {"usd": SCHEMAS["usd"]})
    assert found is not None
    assert np.isfinite(found).all()
    assert found[3] == 0
    assert found[4] == 0
    assert np.abs(found).max() <= 2 * np.sqrt(steering.WEIGHT) + 1e-6


def test_a_boolean_splits_the_subcategories_and_leaves_the_topics_alone() -> None:
    rng = np.random.default_rng(0)
    centres = unit(rng.normal(size=(4, 32)).astype(np.float32))
    topic = np.repeat(np.arange(4), 60)
    vectors = unit(centres[topic] + 0.15 * rng.normal(size=(240, 32)).astype(np.float32))
    holds = rng.random(240) < 0.5
    columns = steering.columns(rows(*holds.tolist()), {"urgent": BOOLEAN})
    found = clustering.tree(vectors, leaves=8, top=4, columns=columns)
    for leaf in np.unique(found.leaf):
        inside = found.leaf == leaf
        assert holds[inside].mean() in (0, 1)
        assert len(set(topic[inside])) == 1
