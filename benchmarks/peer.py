"""BERTopic as the peer, in a virtual environment of its own."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environment import PEERS, python_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """One entry a repeat: labels (n,), -1 for noise; the same after `reduce_topics`; seconds."""

    labels: list[Array]
    reduced: list[Array]
    seconds: list[float]


def bertopic(vectors: Array, texts: Sequence[str], *, repeats: int = 1, topics: int | None = None) -> Found:
    """BERTopic's defaults on these vectors. Raises Missing where it can't be installed."""
    python = python_of("bertopic")
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
        rows, words = Path(folder) / "vectors.npy", Path(folder) / "texts.json"
        np.save(rows, vectors)
        words.write_text(json.dumps(list(texts)))
        command: list[str | Path] = [
            python,
            PEERS / "run_bertopic.py",
            rows,
            words,
            str(repeats),
            *([str(topics)] if topics else []),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found = json.loads(done.stdout[done.stdout.index('{"labels"') :])
    return Found(
        [np.array(labels) for labels in found["labels"]],
        [np.array(labels) for labels in found["reduced"]],
        found["seconds"],
    )
