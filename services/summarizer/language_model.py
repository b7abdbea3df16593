"""The model of languages (py3langid), held in memory only while texts come.

As the package loads it, it takes 75 MB for ever and a second. So its tables are written once into the user's cache, of
the languages that ISO 639-1 names, and mapped from there: nothing to unpack, and nothing kept that is not read.
"""

import logging
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
from py3langid.modelio import load_model

from shared.cache import kept, user_folder
from shared.config import Settings

IDLE = 1.0  # seconds without a text, after which the tables are let go
VERSION = 1  # of what `_tables` makes: part of the folder's name
NAMES = ("weights", "priors", "labels", "moves", "rows", "outputs")  # a table's file is written in this order
log = logging.getLogger(__name__)

Table = np.ndarray[Any, np.dtype[Any]]


class LanguageModel:
    """Threads may share it."""

    def __init__(self, folder: Path | None = None, *, idle: float = IDLE) -> None:
        """`folder` keeps the tables; the one that the settings name if not given."""
        self._folder = folder
        self._idle = idle
        self._lock = Lock()
        self._identifier: LanguageIdentifier | None = None
        self._used = 0.0
        self.watch: Thread | None = None  # ends when the tables are let go

    def classify(self, text: str) -> tuple[str, float]:
        """The likeliest language's ISO 639-1 code, and its probability."""
        with self._lock:
            self._used = time.monotonic()
            identifier = self._identifier or self._load()
        found, probability = identifier.classify(text)
        return str(found), float(probability)

    @property
    def loaded(self) -> bool:
        return self._identifier is not None

    def _load(self) -> LanguageIdentifier:
        folder = self._folder or Settings.load().cache or user_folder()
        self._identifier = _identifier(_mapped(folder))
        self.watch = Thread(target=self._let_go, name="language model", daemon=True)
        self.watch.start()
        return self._identifier

    def _let_go(self) -> None:
        while self.loaded:
            time.sleep(self._idle)
            with self._lock:
                if time.monotonic() - self._used >= self._idle:
                    self._identifier = None


def _mapped(folder: Path) -> Mapping[str, Table]:
    """The tables from their files in `folder`, made if they are missing; in memory where that can't be."""
    made = folder / f"languages-{VERSION}-{version('py3langid')}"
    try:
        kept(made / _file(NAMES[-1]), _save)
        return {name: np.load(made / _file(name), mmap_mode="r") for name in NAMES}
    except (OSError, ValueError, EOFError) as error:
        log.warning(
            "The languages' model cannot be kept in %s (%s): it is made anew in memory. Delete that folder if it is "
            "damaged, or set INSIGHTS_CACHE to a folder that can be written, to start faster.",
            made,
            error,
        )
        return _tables()


def _file(name: str) -> str:
    return f"{name}.npy"


def _save(folder: Path) -> None:
    for name, table in _tables().items():
        np.save(folder / _file(name), table, allow_pickle=False)


def _tables() -> dict[str, Table]:
    """Those of the package, without the columns of languages that have no code of two letters."""
    weights, priors, labels, moves, rows, outputs = load_model(MODEL_DIR / MODEL_FILE)
    columns = [at for at, label in enumerate(labels) if len(label) == 2]
    tables = (weights.take(columns, axis=1), priors[columns], [labels[at] for at in columns], moves, rows, outputs)
    return {name: np.asarray(table) for name, table in zip(NAMES, tables, strict=True)}


def _identifier(tables: Mapping[str, Table]) -> LanguageIdentifier:
    """Its automaton walks by Python's own integers, which a memoryview gives and an array does not."""
    moves, rows, outputs = (memoryview(tables[name]) for name in ("moves", "rows", "outputs"))  # type: ignore[arg-type]
    model = np.asarray(tables["weights"]), np.asarray(tables["priors"]), tables["labels"].tolist(), moves, outputs
    return LanguageIdentifier(*model, norm_probs=True, tk_row=rows)
