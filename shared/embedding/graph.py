"""all-MiniLM-L6-v2 as an ONNX graph: token ids of texts of one length in, unit vectors out.

A BERT encoder (Devlin et al. 2019; Wang et al. 2020 for MiniLM) of 6 layers, whose outputs are averaged over the
tokens and brought to length 1 (Reimers and Gurevych 2019). There is no mask: texts of one length need no padding.

`fp32` multiplies as the model was trained. `int8` multiplies integers: weights of one scale per column, activations of
fixed scales (`calibration.py`). Scales that were taken from the batch, as is usual, would make a text's vector depend
on its neighbours. Weights are stored as uint8 around 128, not as int8: where a processor has no instruction for dot
products of bytes (VNNI), onnxruntime adds uint8 x int8 products up in 16 bits, which overflow; uint8 x uint8 it does
not. Integer sums are exact, so that every processor gives the same products.
"""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from shared.embedding import DIMENSIONS, MAX_TOKENS, Exact, onnx
from shared.embedding.calibration import RANGES
from shared.embedding.weights import Matrix, Tensors

VERSION = 1  # of the graphs that this file makes: part of their file's name
LAYERS, HEADS = 6, 12
EPSILON = 1e-12
INPUT, OUTPUT = "ids", "vectors"
WEIGHTS_FILE = "weights.bin"
ALIGNMENT = 4096  # bytes, of a tensor in that file: a page, so that it can be mapped
SMALL = 16_384  # bytes: a tensor below stays in the model itself
ZERO = 128  # the uint8 that stands for a weight of 0


class Graph:
    """Nodes and tensors so far. Each method adds one step and returns the name of its result."""

    def __init__(self, weights: Tensors, precision: Exact, outside: BinaryIO | None = None) -> None:
        """Large tensors go to `outside`, a file that must lie beside the model's as WEIGHTS_FILE."""
        self._weights = weights
        self._int8 = precision == "int8"
        self._outside = outside
        self._nodes: list[bytes] = []
        self._tensors: list[bytes] = []

    def build(self) -> bytes:
        self._zero, self._one = self._constant("zero", [0]), self._constant("one", [1])
        length = self._add("Gather", [self._add("Shape", [INPUT], "shape"), self._one], "length")
        self._to_length = [self._zero, length, self._zero]
        hidden = self._embeddings()
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
        self._add("LpNormalization", [self._token_sum(hidden)], OUTPUT, axis=-1, p=2)
        return onnx.model(
            self._nodes,
            self._tensors,
            onnx.value(INPUT, "int64", ("texts", "tokens")),
            onnx.value(OUTPUT, "float32", ("texts", DIMENSIONS)),
        )

    def _embeddings(self) -> str:
        """Of words and positions, added up. The segment is always the first, so that it is part of the position."""
        words = self._words()
        positions = self._weights["embeddings.position_embeddings.weight"]
        segment = self._weights["embeddings.token_type_embeddings.weight"][0]
        table = self._tensor("positions", (positions + segment)[:MAX_TOKENS])
        places = self._add("Slice", [table, *self._to_length], "places")
        summed = self._add("Add", [words, places], "embeddings")
        norm = self._parameters("embeddings.LayerNorm")
        return self._add("LayerNormalization", [summed, *norm], "embedded", axis=-1, epsilon=EPSILON)

    def _words(self) -> str:
        """Word vectors (texts, tokens, 384). In int8 each has a scale of its own."""
        table = self._weights["embeddings.word_embeddings.weight"]
        if not self._int8:
            return self._add("Gather", [self._tensor("words", table), INPUT], "word_vectors", axis=0)
        scale = np.abs(table).max(axis=1, keepdims=True) / 127
        rounded = np.rint(table / scale).astype(np.int8)
        row = self._add("Gather", [self._tensor("words", rounded), INPUT], "word_row", axis=0)
        size = self._add("Gather", [self._tensor("word_scales", scale), INPUT], "word_scale", axis=0)
        return self._add("Mul", [self._add("Cast", [row], "word_float", to=1), size], "word_vectors")

    def _token_sum(self, hidden: str) -> str:
        """The sum over each text's tokens, which points where their mean does.

        As a product with ones, since onnxruntime's ReduceMean adds up in another order where there is one text alone.
        """
        ones = self._tensor("ones", np.ones((MAX_TOKENS, 1), np.float32))
        row = self._add("Transpose", [self._add("Slice", [ones, *self._to_length], "ones_column")], "ones_row")
        return self._add("Squeeze", [self._add("MatMul", [row, hidden], "token_sum"), self._one], "pooled")

    def _layer(self, layer: str, hidden: str) -> str:
        """Attention and a feed-forward network, each added to its input and normalised."""
        attended = self._attention(layer, hidden)
        output = self._linear(f"{layer}.attention.output", attended, [f"{layer}.attention.output.dense"])
        hidden = self._add_and_norm(f"{layer}.attention.output", output, hidden)
        wide = self._linear(f"{layer}.intermediate", hidden, [f"{layer}.intermediate.dense"])
        active = self._add(".Gelu", [wide], f"{layer}.active")
        narrow = self._linear(f"{layer}.output", active, [f"{layer}.output.dense"])
        return self._add_and_norm(f"{layer}.output", narrow, hidden)

    def _attention(self, layer: str, hidden: str) -> str:
        """softmax(QK'/sqrt(32)) V, for 12 heads."""
        three = [f"{layer}.attention.self.{name}" for name in ("query", "key", "value")]
        joined = self._linear(f"{layer}.attention.self", hidden, three)
        parts = [f"{name}.part" for name in three]
        self._nodes.append(onnx.node("Split", [joined], parts, axis=-1, num_outputs=3))
        return self._add(".MultiHeadAttention", parts, f"{layer}.attended", num_heads=HEADS)

    def _linear(self, name: str, x: str, parts: Sequence[str]) -> str:
        """x W + b, the weights of several parts side by side."""
        weight = np.concatenate([self._weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self._weights[f"{part}.bias"] for part in parts])
        if self._int8:
            return self._integer_linear(name, x, weight, bias)
        product = self._add("MatMul", [x, self._tensor(f"{name}.weight", weight)], f"{name}.product")
        return self._add("Add", [product, self._tensor(f"{name}.bias", bias)], f"{name}.sum")

    def _integer_linear(self, name: str, x: str, weight: Matrix, bias: Matrix) -> str:
        low, high = RANGES[name]
        step = (high - low) / 255
        scale = self._tensor(f"{name}.x_scale", np.array(step, np.float32))
        zero = self._tensor(f"{name}.x_zero", np.array(round(-low / step), np.uint8))
        rounded = self._add("QuantizeLinear", [x, scale, zero], f"{name}.rounded")
        column_scale = np.abs(weight).max(axis=0) / 127
        column = np.rint(weight / column_scale).astype(np.int16) + ZERO
        inputs = [
            rounded,
            self._tensor(f"{name}.weight", column.astype(np.uint8)),
            scale,
            self._tensor(f"{name}.scale", column_scale.astype(np.float32)),
            zero,
            self._tensor(f"{name}.zero", np.full(len(bias), ZERO, np.uint8)),
            self._tensor(f"{name}.bias", bias),
        ]
        return self._add(".MatMulIntegerToFloat", inputs, f"{name}.sum")

    def _add_and_norm(self, name: str, x: str, skip: str) -> str:
        inputs = [x, skip, *self._parameters(f"{name}.LayerNorm")]
        return self._add(".SkipLayerNormalization", inputs, f"{name}.normal", epsilon=EPSILON)

    def _parameters(self, name: str) -> list[str]:
        names = (f"{name}.weight", f"{name}.bias")
        return [self._tensor(one, self._weights[one]) for one in names]

    def _constant(self, name: str, values: Sequence[int]) -> str:
        return self._tensor(name, np.array(values, np.int64))

    def _tensor(self, name: str, values: onnx.Tensor) -> str:
        if self._outside is None or values.nbytes < SMALL:
            self._tensors.append(onnx.tensor(name, values))
            return name
        self._outside.write(bytes(-self._outside.tell() % ALIGNMENT))
        self._tensors.append(onnx.outside(name, values, WEIGHTS_FILE, self._outside.tell()))
        self._outside.write(onnx.raw(values))
        return name

    def _add(self, operator: str, inputs: Sequence[str], output: str, **attributes: onnx.Attribute) -> str:
        self._nodes.append(onnx.node(operator, inputs, output, **attributes))
        return output
