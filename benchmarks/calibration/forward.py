"""all-MiniLM-L6-v2 in numpy, as plainly as it can be written: what the graph is held against, and calibrated with."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import erf

from shared.embedding.graph import EPSILON, HEADS, LAYERS
from shared.embedding.weights import Matrix, Tensors

Seen = Callable[[str, Matrix], None]  # is told each product's name and its input, (tokens, width)


def forward(weights: Tensors, ids: Sequence[int], seen: Seen = lambda name, x: None) -> Matrix:
    """The unit vector (384,) of one text's token ids."""
    x = weights["embeddings.word_embeddings.weight"][list(ids)]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = _norm(weights, "embeddings.LayerNorm", x)
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        seen(f"{layer}.attention.self", x)
        attended = _attention(weights, f"{layer}.attention.self", x)
        seen(f"{layer}.attention.output", attended)
        attended = _linear(weights, f"{layer}.attention.output.dense", attended)
        x = _norm(weights, f"{layer}.attention.output.LayerNorm", x + attended)
        seen(f"{layer}.intermediate", x)
        wide = _gelu(_linear(weights, f"{layer}.intermediate.dense", x))
        seen(f"{layer}.output", wide)
        x = _norm(weights, f"{layer}.output.LayerNorm", x + _linear(weights, f"{layer}.output.dense", wide))
    mean = x.mean(axis=0)
    unit: Matrix = mean / np.linalg.norm(mean)
    return unit


def _attention(weights: Tensors, name: str, x: Matrix) -> Matrix:
    query, key, value = (_heads(_linear(weights, f"{name}.{part}", x)) for part in ("query", "key", "value"))
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    weight = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    joined: Matrix = (weight @ value).transpose(1, 0, 2).reshape(x.shape)
    return joined


def _heads(x: Matrix) -> Matrix:
    """(tokens, width) as (heads, tokens, width of a head)."""
    parts: Matrix = x.reshape(len(x), HEADS, -1).transpose(1, 0, 2)
    return parts


def _linear(weights: Tensors, name: str, x: Matrix) -> Matrix:
    product: Matrix = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return product


def _norm(weights: Tensors, name: str, x: Matrix) -> Matrix:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    normal: Matrix = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return normal


def _gelu(x: Matrix) -> Matrix:
    active: Matrix = (x * 0.5 * (1 + erf(x / np.sqrt(2)))).astype(np.float32)
    return active
