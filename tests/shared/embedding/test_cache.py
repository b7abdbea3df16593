"""The graph is made once and kept; that it can't be kept keeps nobody from encoding."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.embedding import cache, weights
from shared.embedding.encoder import load_encoder
from shared.errors import UsageError
from tests.shared.embedding.conftest import TEXTS, loaded


def package() -> Path:
    found = weights.find()
    assert found is not None
    return found


def test_a_graph_is_made_once(tmp_path: Path) -> None:
    first = cache.graph_of(package(), "int8", tmp_path)
    assert isinstance(first, Path)
    made = first.stat()

    assert cache.graph_of(package(), "int8", tmp_path) == first
    assert first.stat() == made


def test_two_that_make_it_at_once_share_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(cache.graph_of, package(), "int8", tmp_path) for _ in range(2)]
        first, second = [one.result() for one in both]

    assert first == second
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_place_to_keep_it_the_graph_is_made_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file where the folder should be: no user can write there, not even root."""
    (tmp_path / "file").touch()

    with caplog.at_level(logging.WARNING):
        encoder = load_encoder("int8", tmp_path / "file", threads=1)

    assert encoder is not None
    assert encoder.encode(TEXTS).tobytes() == loaded("int8").encode(TEXTS).tobytes()
    assert "Set INSIGHTS_CACHE to a folder" in caplog.text


def test_nothing_is_kept_of_other_weights(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"something else")

    with pytest.raises(UsageError, match="is not the file that is known"):
        cache.graph_of(tmp_path / "model", "fp32", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_weights_that_are_right_are_verified(tmp_path: Path) -> None:
    cache.verify("fp32", tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "weights.bin"])
def test_a_damaged_graph_is_said_with_what_to_do(tmp_path: Path, name: str) -> None:
    """As after a full disk; never other vectors."""
    graph = cache.graph_of(package(), "int8", tmp_path)
    assert isinstance(graph, Path)
    os.truncate(graph.parent / name, 100_000)

    with pytest.raises(UsageError, match="is damaged: delete this folder"):
        load_encoder("int8", tmp_path)
