"""A text has one vector: that of the model, whatever it is encoded beside and however odd it is."""

import numpy as np
import pytest

from benchmarks.calibration.forward import forward
from shared.embedding import DIMENSIONS, MAX_TOKENS, Exact, weights
from shared.embedding.encoder import TOKENS_AT_ONCE, Encoder, batches
from shared.embedding.weights import Tensors
from tests.shared.embedding.conftest import TEXTS, loaded

SURELY_LONG = 100_000


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    folder = weights.find()
    assert folder is not None
    return weights.read(folder / "model.safetensors")


def test_vectors_are_the_models(tensors: Tensors, encoder: Encoder) -> None:
    """Against a forward pass in numpy: all but equal in fp32, close in int8."""
    expected = np.array([forward(tensors, ids) for ids in encoder.tokens(TEXTS)])

    cosines = (encoder.encode(TEXTS) * expected).sum(axis=1)

    assert cosines.min() > (0.99999 if encoder.name == "minilm-fp32" else 0.94)
    assert cosines.mean() > (0.99999 if encoder.name == "minilm-fp32" else 0.98)


def test_a_vector_is_the_same_bytes_alone_and_in_any_company(encoder: Encoder) -> None:
    """Otherwise a report would depend on the order in which events arrive."""
    rng = np.random.default_rng(0)
    words = [word for text in TEXTS for word in text.split()]
    texts = [" ".join(rng.choice(words, rng.integers(1, 130))) for _ in range(40)]
    texts += [" ".join(rng.choice(words, length)) for length in (1, 2, 5, 14, 30, 62) for _ in range(9)]

    together = encoder.encode(texts)
    order = rng.permutation(len(texts))
    shuffled = encoder.encode([texts[place] for place in order])
    some = rng.choice(len(texts), 12, replace=False)

    assert shuffled.tobytes() == together[order].tobytes()
    for place in some:
        assert encoder.encode([texts[place]]).tobytes() == together[place].tobytes()
    for size in (2, 3, 7):
        assert encoder.encode(texts[-size:]).tobytes() == together[-size:].tobytes()


def test_a_vector_is_the_same_bytes_with_any_number_of_threads(encoder: Encoder) -> None:
    precision: Exact = "fp32" if encoder.name == "minilm-fp32" else "int8"
    texts = [*TEXTS, *(f"{text} again" for text in TEXTS)]

    for threads in (2, 3):
        assert loaded(precision, threads).encode(texts).tobytes() == encoder.encode(texts).tobytes()


def test_what_comes_after_the_last_token_does_not_matter(encoder: Encoder) -> None:
    long = "one word after the other " * SURELY_LONG
    cut = " ".join(long.split()[: MAX_TOKENS - 2])

    assert len(encoder.tokens([long])[0]) == MAX_TOKENS
    assert encoder.encode([long]).tobytes() == encoder.encode([cut]).tobytes()


@pytest.mark.parametrize("text", ["", "\0\x07\x1b[0m", "a\ud800b\udfff", "\u200b\ufeff\u202e", "x" * SURELY_LONG, "🙂"])
def test_any_text_has_a_vector_of_length_one(encoder: Encoder, text: str) -> None:
    (vector,) = encoder.encode([text])

    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_no_texts_have_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)


def test_what_looks_like_the_models_own_tokens_is_text(encoder: Encoder) -> None:
    """A trace cannot end a text in the middle, nor hide a part of it."""
    (ids,) = encoder.tokens(["before [SEP] after [MASK]"])

    assert ids.count(102) == 1
    assert 103 not in ids


def test_a_batch_has_texts_of_one_length_and_bounded_size() -> None:
    lengths = np.array([7, 128, 7, 2, *[128] * 20, 7])

    found = list(batches(lengths))

    assert sorted(np.concatenate(found).tolist()) == list(range(len(lengths)))
    for batch in found:
        assert len(set(lengths[batch].tolist())) == 1
        assert lengths[batch].sum() <= TOKENS_AT_ONCE
