"""A schema goes out as strict mode wants it, and the answer is held to what was asked."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from shared.llm import Shape
from shared.llm.shape import ShapeError, strict


class Part(BaseModel):
    name: str = Field(max_length=5)
    kind: Literal["a", "b"] = "a"


class Whole(BaseModel):
    title: str
    parts: list[Part] = Field(default_factory=list, max_length=2)
    note: str | None = None


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object's schema within it."""
    found = [schema] if isinstance(schema, dict) and "properties" in schema else []
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    return found + [one for part in inner for one in objects(part)]


def test_every_object_is_closed_and_requires_all_its_keys() -> None:
    sent = Shape.of(Whole).response_format["json_schema"]["schema"]

    assert len(objects(sent)) == 2
    for one in objects(sent):
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])


def test_what_strict_mode_does_not_know_is_left_out() -> None:
    sent = str(Shape.of(Whole).response_format)

    for word in ("default", "maxLength", "'title': 'Whole'"):
        assert word not in sent
    assert "maxItems" in sent


def test_keys_of_the_user_are_not_taken_for_keywords() -> None:
    names = {"title": {"type": "string"}, "default": {"type": "string"}, "oneOf": {"enum": [{"title": 1}, "default"]}}

    assert strict({"type": "object", "properties": names})["properties"] == names


def test_alternatives_are_written_as_strict_mode_knows_them() -> None:
    assert strict({"oneOf": [{"type": "object"}, {"type": "null"}]}) == {
        "anyOf": [
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            {"type": "null"},
        ]
    }


def test_the_schema_that_was_given_stays_as_it_is() -> None:
    given = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}
    strict(given)
    assert given == {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}


@pytest.mark.parametrize(("name", "sent"), [("a b/c", "a_b_c"), ("é" * 99, "_" * 64), ("", "answer")])
def test_any_name_becomes_one_that_the_api_takes(name: str, sent: str) -> None:
    assert Shape(name, {"type": "object"}).response_format["json_schema"]["name"] == sent


def test_a_model_fills_in_what_may_be_missing() -> None:
    assert Shape.of(Whole).check({"title": "x", "parts": [{"name": "p"}]}) == {
        "title": "x",
        "parts": [{"name": "p", "kind": "a"}],
        "note": None,
    }


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"title": "x", "parts": [{"name": "too long"}]}, "parts.0.name: String should have at most 5 characters"),
        ({"parts": []}, "title: Field required"),
        ("x", "no object"),
        (None, "no object"),
    ],
)
def test_a_model_says_what_is_wrong_and_where(value: Any, problem: str) -> None:
    with pytest.raises(ShapeError, match=problem):
        Shape.of(Whole).check(value)


def test_limits_that_are_not_sent_are_still_held() -> None:
    shape = Shape("x", {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}})

    assert shape.check({"a": "ab"}) == {"a": "ab"}
    with pytest.raises(ShapeError, match="a: 'abc' is too long"):
        shape.check({"a": "abc"})


def test_what_is_wrong_with_a_huge_answer_is_said_in_few_words() -> None:
    shape = Shape("x", {"type": "object", "properties": {"a": {"type": "integer"}}})

    with pytest.raises(ShapeError) as caught:
        shape.check({"a": "y" * 100_000})
    assert len(str(caught.value)) <= 300
