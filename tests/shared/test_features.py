"""Features come back as they were packed, bounded and small, and what is no features of ours is refused."""

import numpy as np
import pytest

from shared.errors import ItemError
from shared.features import Features


def test_what_was_packed_comes_back() -> None:
    vector = np.arange(1, 385, dtype=np.float32)
    vector /= np.linalg.norm(vector)
    full = Features("a \ud800", ("t", "u"), {"b": 2, "a": 1}, 7, "en", "minilm-fp32", vector, None)
    found = Features.unpack(full.pack())
    assert (found.request, found.tools, found.words, found.length) == ("a \ud800", ("t", "u"), {"b": 2, "a": 1}, 7)
    assert (found.language, found.encoder, found.gist_vector) == ("en", "minilm-fp32", None)
    assert found.request_vector is not None
    assert float(found.request_vector @ vector) > 0.999999
    assert np.linalg.norm(found.request_vector) == pytest.approx(1, abs=1e-6)


def test_the_same_features_are_the_same_bytes() -> None:
    assert Features("a", words={"x": 1}).pack() == Features("a", words={"x": 1}).pack()


@pytest.mark.parametrize("bad", [b"", b"w1abc", b"f1", b"f1no zstd", Features("a").pack()[:-3]])
def test_what_is_no_features_of_this_version_is_refused_with_what_to_do(bad: bytes) -> None:
    with pytest.raises(ItemError, match="ask for the report again"):
        Features.unpack(bad)
