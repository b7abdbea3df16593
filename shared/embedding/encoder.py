"""Texts to vectors, in this process."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.cache import user_folder
from shared.embedding import DIMENSIONS, MAX_CHARACTERS, MAX_TOKENS, Precision, cache, weights
from shared.embedding.graph import INPUT
from shared.embedding.processor import chosen
from shared.errors import UsageError
from shared.features import Array
from shared.wording import clean

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

TOKENS_AT_ONCE = 1_024  # more would not be faster, and take more memory
MOST_THREADS = 8
Lengths = np.ndarray[Any, np.dtype[np.int64]]


class Encoder:
    """all-MiniLM-L6-v2. A text's vector is the same bytes whatever it is encoded beside, with any number of threads."""

    def __init__(self, name: str, tokenizer: "Tokenizer", session: "InferenceSession") -> None:
        self.name = name  # such as "minilm-fp32": vectors of different names must not be compared
        self._tokenizer = tokenizer
        self.session = session

    def encode(self, texts: Sequence[str]) -> Array:
        """float32 (n, 384), unit rows in the order of the texts, of which the first 128 tokens count."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        ids = self.tokens(texts)
        for batch in batches(np.array([len(one) for one in ids], np.int64)):
            vectors[batch] = self.vectors(np.array([ids[place] for place in batch], np.int64))
        return vectors

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text's WordPiece tokens, from [CLS] to [SEP]: 2 to 128."""
        bounded = [clean(text[:MAX_CHARACTERS]) for text in texts]
        return [one.ids for one in self._tokenizer.encode_batch_fast(bounded)]

    def vectors(self, ids: Lengths) -> Array:
        """Unit rows (n, 384) of token ids (n, tokens)."""
        found: Array = self.session.run(None, {INPUT: ids})[0]
        return found


def batches(lengths: Lengths) -> Iterator[Lengths]:
    """Places of texts of one length, at most TOKENS_AT_ONCE tokens together: nothing is padded."""
    order = np.argsort(lengths, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[order])) + 1
    for alike in np.split(order, ends):
        if len(alike):
            step = max(1, TOKENS_AT_ONCE // int(lengths[alike[0]]))
            yield from (alike[start : start + step] for start in range(0, len(alike), step))


def encoder_name(precision: Precision = "auto") -> str:
    """Of the encoder that `load_encoder` would load, such as "minilm-fp32"; "" where it would load none."""
    return "" if precision == "none" or weights.find() is None else f"minilm-{chosen(precision)}"


def load_encoder(
    precision: Precision = "auto", folder: Path | None = None, *, threads: int | None = None
) -> Encoder | None:
    """None where the package of weights is not installed, or `precision` is "none".

    `folder` keeps the graph; the user's cache if not given. Raises UsageError where the package does not hold the
    weights that are known.
    """
    package = weights.find()
    if precision == "none" or package is None:
        return None
    tokenizer = _tokenizer(weights.checked(package, "tokenizer.json"))
    exact = chosen(precision)
    graph = cache.graph_of(package, exact, folder or user_folder())
    return Encoder(encoder_name(exact), tokenizer, _session(graph, threads or _processors()))


def _tokenizer(path: Path) -> "Tokenizer":
    """The file asks for padding, which we do not need. "[SEP]" in a text is what someone wrote, not the end."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.encode_special_tokens = True
    return tokenizer


def _session(graph: Path | bytes, threads: int) -> "InferenceSession":
    """Threads that wait for each other sleep: to spin costs more than it gains as soon as anyone else works here."""
    from onnxruntime import InferenceSession, SessionOptions
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidProtobuf

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it keeps a plan of memory for every shape, and ours vary
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if isinstance(graph, bytes):
        return InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    try:
        return InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidArgument, InvalidProtobuf) as error:
        raise UsageError(f"{graph.parent} is damaged: delete this folder, and it is made anew.") from error


def _processors() -> int:
    """Those that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_THREADS)
