"""Texts become unit rows in their order, a bounded part at a call."""

import json
from typing import Any

import httpx2
import numpy as np
import pytest

from shared.errors import AnswerError, JobError, ModelAwayError
from shared.llm import Usage
from shared.llm.vectors import CHARACTERS, TEXTS, batches
from tests.shared.llm.conftest import Bench, Script, failure


def vectors_of(body: dict[str, Any]) -> httpx2.Response:
    """(length of the text, 1), and out of order."""
    data = [{"index": i, "embedding": [len(text), 1.0]} for i, text in enumerate(body["input"])]
    usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
    return httpx2.Response(200, json={"data": data[::-1], "usage": usage})


async def test_rows_are_unit_float32_in_the_order_of_the_texts(bench: Bench) -> None:
    rows, usage = await bench(Script(vectors_of)).embed(["abc", "a"], "m")

    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[3, 1], [1, 1]]) / np.sqrt([[10], [2]]))
    assert usage == Usage(2)


async def test_many_texts_are_sent_in_parts(bench: Bench) -> None:
    script = Script(vectors_of)
    paid: list[Usage] = []

    rows, usage = await bench(script).embed(["x" * (i % 7) for i in range(600)], "m", paid.append)

    assert [len(body["input"]) for body in script.bodies] == [256, 256, 88]
    assert rows.shape == (600, 2)
    assert usage == Usage(600)
    assert Usage.total(paid) == usage


def test_no_part_is_larger_than_an_endpoint_takes() -> None:
    texts = ["x" * 9_000, "", "y" * 100] * 300

    parts = list(batches(texts))

    assert all(len(part) <= TEXTS and sum(map(len, part)) <= CHARACTERS for part in parts)
    assert [text[:1] for part in parts for text in part] == ["x", " ", "y"] * 300


async def test_no_texts_need_no_call(bench: Bench) -> None:
    script = Script(vectors_of)

    rows, usage = await bench(script).embed([], "m")

    assert (rows.shape, usage, script.requests) == ((0, 0), Usage(), [])


async def test_half_characters_can_be_sent(bench: Bench) -> None:
    script = Script(vectors_of)
    await bench(script).embed(["a\ud83d"], "m")
    assert script.bodies[0]["input"] == ["a\ufffd"]


async def test_tokens_that_are_not_counted_are_estimated(bench: Bench) -> None:
    reply = httpx2.Response(200, json={"data": [{"index": 0, "embedding": [0.0, 0.0]}]})

    rows, usage = await bench(Script(reply)).embed(["three short words"], "m")

    assert usage == Usage(3, estimated=True)
    assert rows.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1e308 * 10]}],
        [{"index": 0, "embedding": [1e308]}, {"index": 1, "embedding": [1e308, 1e308]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        "none",
    ],
)
async def test_an_answer_that_does_not_fit_the_texts_is_none(bench: Bench, data: Any) -> None:
    content = json.dumps({"data": data}).replace("Infinity", "1e999")
    script = Script(httpx2.Response(200, content=content))

    with pytest.raises((AnswerError, ModelAwayError), match="no answer of this API"):
        await bench(script, attempts=2).embed(["a", "b"], "m")


async def test_errors_lead_where_the_table_says(bench: Bench) -> None:
    with pytest.raises(JobError, match="set OPENAI_API_KEY"):
        await bench(Script(failure(401))).embed(["a"], "m")
    assert (await bench(Script(failure(429), vectors_of)).embed(["a"], "m"))[1] == Usage(1)
