"""ONNX models as bytes, without the `onnx` package: the few messages of onnx.proto that a feed-forward graph needs.

Each message is a run of fields: a key (number and wire type), then a number, four bytes, or a length with its bytes
(https://protobuf.dev/programming-guides/encoding). Field numbers are those of onnx.proto, IR version 8.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

MICROSOFT = "com.microsoft"  # the domain of onnxruntime's own fused operators
_IR_VERSION, _OPSET, _MICROSOFT_OPSET = 8, 18, 1
_VARINT, _BYTES, _FOUR_BYTES = 0, 2, 5
_ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}
_FLOAT, _INT = 1, 2  # kinds of attribute

Attribute = int | float
Tensor = np.ndarray[Any, np.dtype[Any]]


def node(operator: str, inputs: Sequence[str], output: str | Sequence[str], **attributes: Attribute) -> bytes:
    """A NodeProto. An operator with a dot before its name is onnxruntime's own: `.Gelu`."""
    outputs = [output] if isinstance(output, str) else output
    return b"".join(
        (
            *(_text(1, name) for name in inputs),
            *(_text(2, name) for name in outputs),
            _text(4, operator.removeprefix(".")),
            *(_message(5, _attribute(name, value)) for name, value in attributes.items()),
            _text(7, MICROSOFT if operator.startswith(".") else ""),
        )
    )


def tensor(name: str, values: Tensor) -> bytes:
    """A TensorProto that holds its values."""
    return _tensor_head(name, values) + _message(9, raw(values))


def raw(values: Tensor) -> bytes:
    """Row after row, little-endian."""
    return values.astype(values.dtype.newbyteorder("<"), order="C", copy=False).tobytes()


def outside(name: str, values: Tensor, file: str, offset: int) -> bytes:
    """A TensorProto whose values lie in another file, beside the model's, at a byte offset."""
    where = {"location": file, "offset": str(offset), "length": str(values.nbytes)}
    entries = (_message(13, _text(1, key) + _text(2, value)) for key, value in where.items())
    return _tensor_head(name, values) + b"".join(entries) + _number(14, 1)


def value(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto: an input or output of the graph; a dimension that is a name may have any size."""
    sizes = (_text(2, size) if isinstance(size, str) else _number(1, size) for size in shape)
    dimensions = b"".join(_message(1, size) for size in sizes)
    return _text(1, name) + _message(2, _message(1, _number(1, _ELEMENTS[dtype]) + _message(2, dimensions)))


def model(nodes: Iterable[bytes], tensors: Iterable[bytes], inputs: bytes, outputs: bytes) -> bytes:
    """A ModelProto of one graph with one input and one output."""
    graph = b"".join(
        (
            *(_message(1, one) for one in nodes),
            _text(2, "insights"),
            *(_message(5, one) for one in tensors),
            _message(11, inputs),
            _message(12, outputs),
        )
    )
    opsets = _message(8, _number(2, _OPSET)) + _message(8, _text(1, MICROSOFT) + _number(2, _MICROSOFT_OPSET))
    return _number(1, _IR_VERSION) + _text(2, "insights") + _message(7, graph) + opsets


def _tensor_head(name: str, values: Tensor) -> bytes:
    sizes = b"".join(_number(1, size) for size in values.shape)
    return sizes + _number(2, _ELEMENTS[values.dtype.name]) + _text(8, name)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + _key(2, _FOUR_BYTES) + struct.pack("<f", value) + _number(20, _FLOAT)
    return _text(1, name) + _number(3, value) + _number(20, _INT)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number is its 64-bit two's complement."""
    number &= (1 << 64) - 1
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _key(field: int, wire_type: int) -> bytes:
    return varint(field << 3 | wire_type)


def _number(field: int, number: int) -> bytes:
    return _key(field, _VARINT) + varint(number)


def _message(field: int, content: bytes) -> bytes:
    return _key(field, _BYTES) + varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode()) if text else b""
