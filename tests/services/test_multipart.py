"""Parts of POST /runs/multipart: each is judged alone, and nothing that is sent breaks the reader."""

import json
import tracemalloc
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.multipart import PARTS, Part, PartError, boundary_of, read_parts
from services.gateway.received import REASONS, Received, of_multipart
from shared.bodies import Body, unpack
from tests.services.sending import BOUNDARY, of_run, part, whole

A, B = str(uuid4()), str(uuid4())


def received(*parts: bytes) -> Received:
    return of_multipart(whole(parts), BOUNDARY, "w")


def found(sent: Received) -> dict[str, dict[str, Any]]:
    """The fields of each run, its bodies as they will be read again."""
    return {
        record.id: {key: unpack(one.packed) if isinstance(one, Body) else one for key, one in record.fields.items()}
        for record in sent.records
    }


def test_parts_of_several_runs_in_any_order_become_those_runs() -> None:
    first = of_run(A, bodies={"inputs": {"q": 1}, "events": [], "error": "x\ny"}, name="a", session_name="shop")
    second = of_run(B, "patch", bodies={"outputs": {"a": 2}})
    mixed = received(*reversed([BOUNDARY.join([b"--", one]) for one in (first + second).split(b"--" + BOUNDARY)[1:]]))
    assert {(record.id, record.operation) for record in mixed.records} == {(A, "post"), (B, "patch")}
    assert found(mixed) == {
        A: {"name": "a", "session_name": "shop", "inputs": {"q": 1}, "events": [], "error": "x\ny"},
        B: {"outputs": {"a": 2}},
    }
    assert mixed.refused == 0


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": NaN, "b": -Infinity, "c": 1e999}',
        b'"half \\ud83d, NUL \\u0000, \xf0\x9f\x98\x80"',
        b'{"n": %s, "f": 0.1, "z": -0.0}' % (b"9" * 400),
        b"[" * 400 + b"]" * 400,
        b' {"space": 1 , "twice": 1, "twice": 2}\n',
        b'"' + b"x" * 15_000_000 + b'"',
    ],
)
def test_a_body_is_kept_equal_to_what_python_reads(text: bytes) -> None:
    sent = received(part(f"post.{A}", b"{}"), part(f"post.{A}.inputs", text))
    assert repr(found(sent)[A]["inputs"]) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (part(f"post.{A}", b'{"id": '), "not JSON"),
        (part(f"post.{A}", b"[]"), "not a JSON object"),
        (part(f"post.{A}", b"{}", length=7), "it has 2 bytes, and says 7"),
        (part(f"post.{A}", b'{"run_type": "agent"}'), "run_type is none of chain, embedding"),
        (part(f"post.{A}", b'{"run_type": ["llm"]}'), "run_type is none of"),
        (part(f"post.{A}.inputs", b"{}"), "bodies came without their run"),
        (part(f"post.{A}.other", b"{}"), "no such part"),
        (part("post.", b"{}"), "no such part"),
        (part("attachment.x", b"1"), "no such part"),
        (part(f"post.{A}", b"[" * 600 + b"]" * 600), "nested too deep"),
        (b"--" + BOUNDARY + b"\r\n\r\n{}\r\n", "no name"),
        (b"--" + BOUNDARY + b"\r\n" + b"x" * 9_000 + b"\r\n\r\n\r\n", "no header, or one that is too long"),
    ],
)
def test_a_wrong_part_is_refused_with_its_reason_and_the_others_are_kept(wrong: bytes, reason: str) -> None:
    sent = received(wrong, of_run(B, bodies={"inputs": 1}))
    assert [record.id for record in sent.records] == [B]
    assert sent.refused == 1
    assert reason in sent.reasons[0]


def test_a_wrong_body_is_refused_and_its_run_is_kept() -> None:
    sent = received(of_run(A, bodies={"inputs": 1}), part(f"post.{A}.outputs", b"{"))
    assert found(sent) == {A: {"inputs": 1}}
    assert sent.refused == 1


def test_a_run_that_is_refused_takes_its_bodies_with_it() -> None:
    sent = received(of_run(A, bodies={"inputs": 1, "outputs": 2}, run_type="agent"), of_run(B, bodies={}))
    assert [record.id for record in sent.records] == [B]
    assert sent.refused == 1


def test_two_patches_of_one_run_in_one_body_are_two() -> None:
    sent = received(
        of_run(A, "patch", bodies={"outputs": 1}, name="a"), of_run(A, "patch", bodies={"extra": {}}, tags=[])
    )
    assert [set(record.fields) for record in sent.records] == [{"name", "outputs"}, {"tags", "extra"}]


def test_a_part_may_say_its_length_in_its_type_or_not_at_all() -> None:
    header = b'--%s\r\nContent-Disposition: form-data; name="attachment.%s.%s"; filename="blob"\r\nContent-Type: '
    parts = [
        header % (BOUNDARY, A.encode(), b"good") + b"image/png; length=2\r\n\r\n\r\n\r\n",
        header % (BOUNDARY, A.encode(), b"bad") + b"image/png; length=3\r\n\r\n12\r\n",
        header % (BOUNDARY, A.encode(), b"none") + b"text/plain\r\n\r\n123\r\n",
    ]
    sent = received(*parts)
    assert [(one.attachment.name, one.attachment.mime_type, one.body) for one in sent.attachments] == [
        ("good", "image/png", b"\r\n"),
        ("none", "text/plain", b"123"),
    ]
    assert sent.refused == 1


def test_a_body_that_is_cut_off_keeps_the_parts_that_are_whole() -> None:
    body = of_run(A, bodies={"inputs": 1}) + part(f"post.{B}", b"{}")
    sent = of_multipart(body[:-5], BOUNDARY, "w")
    assert [record.id for record in sent.records] == [A]
    assert sent.reasons == ["the body ends within a part"]


def test_a_million_parts_cost_little_and_are_told_in_one_sentence() -> None:
    body = part("post.x", b"") * 1_000_000
    tracemalloc.start()
    sent = of_multipart(body, BOUNDARY, "w")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent.refused == PARTS + 1
    assert len(sent.reasons) == REASONS
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; Boundary="a b"; charset=utf-8', b"a b"),
        ("application/json", None),
        ("multipart/form-data; boundary=", None),
    ],
)
def test_the_boundary_stands_in_the_content_type(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary


PIECES = st.sampled_from(
    [
        b"--" + BOUNDARY,
        b"--",
        b"\r\n",
        b"\n",
        b"\r\n\r\n",
        b'Content-Disposition: form-data; name="',
        b'"',
        b"post." + A.encode(),
        b"patch." + B.encode() + b".extra",
        b"attachment." + A.encode() + b".pic",
        b"feedback.f",
        b"Content-Length: 2",
        b"Content-Type: application/json; length=",
        b"{}",
        b'{"id": "x", "extra": {"metadata": 7}, "run_type": {}}',
        b"null",
        b"\xff\x00\xed\xa0\x80",
        of_run(A, bodies={"inputs": {"q": [1, None]}, "extra": []}),
        b"--" + BOUNDARY + b"--\r\n",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES | st.binary(max_size=12), max_size=30).map(b"".join))
def test_whatever_is_sent_is_kept_or_refused(body: bytes) -> None:
    """No piece is kept that the body does not hold, and every reason can be sent as JSON in UTF-8."""
    sent = of_multipart(body, BOUNDARY, "w")
    for one in read_parts(body, BOUNDARY):
        assert isinstance(one, PartError) or one.body in body
    assert sum(len(one.body) for one in read_parts(body, BOUNDARY) if isinstance(one, Part)) <= len(body)
    json.dumps(sent.reasons, ensure_ascii=False).encode()
    for record in sent.records:
        for value in record.fields.values():
            assert not isinstance(value, Body) or repr(unpack(value.packed)) == repr(value.value)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.uuids().map(str),
        st.dictionaries(
            st.sampled_from(["inputs", "outputs", "extra", "events"]),
            st.recursive(
                st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                max_leaves=6,
            ),
            max_size=4,
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_again(runs: dict[str, dict[str, Any]]) -> None:
    sent = received(*(of_run(run_id, bodies=bodies) for run_id, bodies in runs.items()))
    assert sent.refused == 0
    assert repr(found(sent)) == repr(runs)
