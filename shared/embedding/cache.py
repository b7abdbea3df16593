"""The graph as a file in the user's cache: made once, then mapped by every process that encodes."""

import logging
from pathlib import Path

from shared.cache import kept
from shared.embedding import Exact, weights
from shared.embedding.graph import VERSION, WEIGHTS_FILE, Graph

log = logging.getLogger(__name__)

MODEL_FILE = "model.onnx"


def graph_of(package: Path, precision: Exact, folder: Path) -> Path | bytes:
    """The graph's file in `folder`, made if it is missing; its bytes where none can be written there.

    Its folder's name holds all that the graph depends on.
    Raises UsageError where `package` does not hold the weights that are known.
    """
    try:
        return kept(_place(precision, folder) / MODEL_FILE, lambda made: _make(package, precision, made))
    except OSError as error:
        log.warning(
            "The vectors' model cannot be kept in %s (%s): it is made anew in memory. Set INSIGHTS_CACHE to a folder "
            "that can be written to start faster.",
            folder,
            error.strerror,
        )
    return Graph(_read(package), precision).build()


def verify(precision: Exact, folder: Path) -> None:
    """Raise UsageError where the weights are installed but are not those that are known."""
    package = weights.find()
    if package is not None:
        weights.checked(package, "tokenizer.json")
        if not _place(precision, folder).is_dir():
            weights.checked(package, "model.safetensors")


def _place(precision: Exact, folder: Path) -> Path:
    return folder / f"minilm-{precision}-{VERSION}-{weights.SHA256['model.safetensors'][:12]}"


def _read(package: Path) -> weights.Tensors:
    return weights.read(weights.checked(package, "model.safetensors"))


def _make(package: Path, precision: Exact, folder: Path) -> None:
    with (folder / WEIGHTS_FILE).open("wb") as outside:
        model = Graph(_read(package), precision, outside).build()
    (folder / MODEL_FILE).write_bytes(model)
