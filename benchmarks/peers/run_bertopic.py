"""Runs in BERTopic's own virtual environment, with its defaults: vectors (npy) and texts (json) in, one JSON out.

    python run_bertopic.py VECTORS.npy TEXTS.json REPEATS [TOPICS]

The first run warms numba's compiler and is not timed. `labels` has -1 for noise. Written to standard output:
{"labels": [[...], ...], "reduced": [[...], ...], "seconds": [...]}, one entry a repeat; `reduced` is after
`reduce_topics(TOPICS)`.
"""

import json
import sys
import time
import warnings
from typing import Any

import numpy as np
from bertopic import BERTopic

warnings.filterwarnings("ignore")


def main() -> None:
    vectors = np.load(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        texts = json.load(file)
    repeats = int(sys.argv[3])
    topics = int(sys.argv[4]) if len(sys.argv) > 4 else None
    found: dict[str, list[Any]] = {"labels": [], "reduced": [], "seconds": []}
    BERTopic().fit_transform(texts[:500], vectors[:500])
    for _ in range(repeats):
        model = BERTopic()
        begun = time.perf_counter()
        labels, _ = model.fit_transform(texts, vectors)
        found["seconds"].append(time.perf_counter() - begun)
        found["labels"].append([int(label) for label in labels])
        if topics:
            model.reduce_topics(texts, topics)
            found["reduced"].append([int(label) for label in model.topics_])
    json.dump(found, sys.stdout)


main()
