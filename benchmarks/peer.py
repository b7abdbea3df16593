"""BERTopic as the peer, in a virtual environment of its own: it is of no use to the product."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sets import Missing

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent / ".cache" / "bertopic"
LOCK = HERE / "peers" / "bertopic.lock"
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """One entry a repeat: labels (n,), -1 for noise; the same after `reduce_topics`; seconds."""

    labels: list[Array]
    reduced: list[Array]
    seconds: list[float]


def bertopic(vectors: Array, texts: Sequence[str], *, repeats: int = 1, topics: int | None = None) -> Found:
    """BERTopic's defaults on these vectors. Raises Missing where it can't be installed."""
    python = _installed()
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as folder:
        rows, words = Path(folder) / "vectors.npy", Path(folder) / "texts.json"
        np.save(rows, vectors)
        words.write_text(json.dumps(list(texts)))
        command: list[str | Path] = [
            python,
            HERE / "peers" / "run_bertopic.py",
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


def _installed() -> Path:
    """The environment's Python; made on the first call, from the lock."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / ".installed"
    if done.is_file() and done.stat().st_mtime >= LOCK.stat().st_mtime:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", "--no-deps", "--require-hashes", "-r", LOCK], check=True)
    except subprocess.CalledProcessError as error:
        raise Missing("BERTopic could not be installed: is the package registry reached?") from error
    done.touch()
    return python
