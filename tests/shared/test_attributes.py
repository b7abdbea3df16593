"""What of a model's answer counts as an attribute's value."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.attributes import EXACT, LONGEST, SHOWN, WrongValueError, checked, drafted, keys_of, properties
from shared.job_config import AttributeSchema, JobConfig

BOOLEAN, NUMBER, TEXT = (AttributeSchema(type=kind) for kind in ("boolean", "number", "string"))
CHOICE = AttributeSchema(type="string", enum=("Billing", "log in", "unknown"))
ALL = {"boolean": BOOLEAN, "number": NUMBER, "text": TEXT, "choice": CHOICE}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("schema", "value", "counts"),
    [
        (BOOLEAN, True, True),
        (BOOLEAN, "No", False),
        (BOOLEAN, "n/a", None),
        (NUMBER, 3, 3),
        (NUMBER, "2.5", 2.5),
        (NUMBER, "unknown", None),
        (NUMBER, EXACT * 4, float(EXACT * 4)),
        (CHOICE, " billing", "Billing"),
        (CHOICE, "unknown", "unknown"),
        (CHOICE, "Not stated.", None),
        (TEXT, " a lamp\n", "a lamp"),
        (TEXT, "", None),
        (TEXT, "Not specified", None),
        (TEXT, "\ud800", "\ufffd"),
        (TEXT, "x" * 5_000, "x" * LONGEST),
    ],
)
def test_a_value_counts_as_it_is_meant(schema: AttributeSchema, value: Any, counts: Any) -> None:
    found = checked(schema, value)
    assert found == counts
    assert type(found) is type(counts)


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        (BOOLEAN, 1, "an integer is neither true nor false"),
        (BOOLEAN, "maybe", '"maybe" is neither true nor false'),
        (NUMBER, True, "true is no number"),
        (NUMBER, math.inf, "inf is no finite number"),
        (NUMBER, 10**400, "an integer is no finite number"),
        (NUMBER, "many", '"many" is no finite number'),
        (TEXT, {"a": 1}, "an object is no text"),
        (CHOICE, "delivery", '"delivery" is none of the given values'),
        (CHOICE, ["Billing"], "a list is no text"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_wrong(
    schema: AttributeSchema, value: Any, problem: str
) -> None:
    with pytest.raises(WrongValueError) as caught:
        checked(schema, value)
    assert str(caught.value) == problem


@given(value=JSON, name=st.sampled_from(sorted(ALL)))
def test_whatever_a_model_answers_is_a_value_of_the_kind_or_refused_in_a_short_line(value: Any, name: str) -> None:
    schema = ALL[name]
    try:
        found = checked(schema, value)
    except WrongValueError as error:
        problem = str(error)
    else:
        Draft202012Validator(properties({name: schema})[name]).validate(found)
        assert not isinstance(found, float) or math.isfinite(found)
        return
    assert len(problem) < SHOWN + 60
    assert len(problem.splitlines()) == 1
    problem.encode()


def test_values_that_differ_in_case_alone_stay_apart() -> None:
    schema = AttributeSchema(type="string", enum=("IT", "it"))
    assert checked(schema, "it") == "it"
    with pytest.raises(WrongValueError):
        checked(schema, "It")


@pytest.mark.parametrize(
    ("count", "model", "yes"), [(0, None, False), (1, None, True), (8, None, True), (9, None, False), (1, "m", False)]
)
def test_a_few_attributes_without_a_model_of_their_own_are_asked_for_with_the_summary(
    count: int, model: str | None, yes: bool
) -> None:
    schemas = {f"a{n}": BOOLEAN for n in range(count)}
    assert drafted(JobConfig(attribute_schemas=schemas, attribute_model=model)) is yes


def test_a_kept_value_is_that_of_one_name_schema_model_and_text() -> None:
    config = JobConfig(attribute_schemas={"a": BOOLEAN, "b": BOOLEAN})
    keys = keys_of(config, "text \ud800")
    assert keys["a"] != keys["b"]
    assert keys_of(config, "other")["a"] != keys["a"]
    assert keys_of(config.model_copy(update={"attribute_model": "m"}), "text \ud800")["a"] != keys["a"]
    assert keys_of(config.model_copy(update={"cluster_model": "m", "seed": 3}), "text \ud800") == keys
