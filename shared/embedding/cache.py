"""The graph as a file in the user's cache: made once, then mapped by every process that encodes."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

from shared.embedding import Exact, weights
from shared.embedding.graph import VERSION, WEIGHTS_FILE, Graph

log = logging.getLogger(__name__)

MODEL_FILE = "model.onnx"


def user_folder() -> Path:
    return Path(platformdirs.user_cache_dir("insights"))


def graph_of(package: Path, precision: Exact, folder: Path) -> Path | bytes:
    """The graph's file in `folder`, made if it is missing; its bytes where none can be written there.

    The name holds all that the graph depends on. It is made in a folder of its own, which gets its name when it is
    whole: of two processes that make it at once, the second finds the name taken and uses what the first has made.
    Raises UsageError where `package` does not hold the weights that are known.
    """
    made = _place(precision, folder)
    try:
        if not (made / MODEL_FILE).is_file():
            _make(package, precision, made)
        return made / MODEL_FILE
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


def _make(package: Path, precision: Exact, made: Path) -> None:
    tensors = _read(package)
    made.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=made.parent))
    try:
        with (unfinished / WEIGHTS_FILE).open("wb") as outside:
            model = Graph(tensors, precision, outside).build()
        (unfinished / MODEL_FILE).write_bytes(model)
        unfinished.chmod(0o755)  # as any folder; it was made for its owner alone
        os.rename(unfinished, made)
    except OSError:
        if not (made / MODEL_FILE).is_file():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
