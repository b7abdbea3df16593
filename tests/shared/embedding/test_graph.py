"""The graph that is kept in the user's cache, and the numbers in it."""

import hashlib
from io import BytesIO

import numpy as np
import pytest
from onnxruntime import InferenceSession

from shared.embedding import Exact, onnx, weights
from shared.embedding.graph import VERSION, ZERO, Graph


def made(precision: Exact) -> str:
    """The start of the hash of all that is kept."""
    folder = weights.find()
    assert folder is not None
    outside = BytesIO()
    model = Graph(weights.read(folder / "model.safetensors"), precision, outside).build()
    return hashlib.sha256(model + outside.getbuffer()).hexdigest()[:12]


@pytest.mark.parametrize(("precision", "expected"), [("fp32", "47a3e4fed010"), ("int8", "f48fc1c2833c")])
def test_a_changed_graph_has_a_new_version(precision: Exact, expected: str) -> None:
    """Users keep the file of a version: raise VERSION in graph.py if this fails, then write the new hash here."""
    assert (VERSION, made(precision)) == (1, expected)


def test_sums_of_byte_products_are_exact_on_every_processor() -> None:
    """With weights as int8 the largest products overflow 16 bits where the processor has no VNNI."""
    rng = np.random.default_rng(0)
    x = rng.choice(np.array([0, 254, 255], np.uint8), (33, 384))
    weight = rng.choice(np.array([1, 2, 254, 255], np.uint8), (384, 64))
    one = np.array(1, np.float32)
    tensors = {"w": weight, "one": one, "ones": np.ones(64, np.float32), "zero": np.array(0, np.uint8)}
    tensors["zeros"] = np.full(64, ZERO, np.uint8)
    product = onnx.node(".MatMulIntegerToFloat", ["x", "w", "one", "ones", "zero", "zeros"], "y")
    model = onnx.model(
        [product],
        [onnx.tensor(name, values) for name, values in tensors.items()],
        onnx.value("x", "uint8", ("rows", 384)),
        onnx.value("y", "float32", ("rows", 64)),
    )

    (found,) = InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})

    assert (found == x.astype(np.int64) @ (weight.astype(np.int64) - ZERO)).all()


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02"), (-1, b"\xff" * 9 + b"\x01")],
)
def test_numbers_are_written_as_protobuf_does(number: int, expected: bytes) -> None:
    assert onnx.varint(number) == expected
