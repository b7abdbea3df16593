"""What our vectors cost beside one bare pass of the model, and how near int8 is to fp32.

    python -m benchmarks.embedding [--full]

The bare pass is onnxruntime on the same graph, threads and token ids, in batches of one length as large as is
usual (4,096 tokens): what remains is ours, from the texts to the rows. Both in turns, the median of each, in
processor time of all threads, which others on the machine hardly change.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import psutil

from benchmarks.calibration.texts import texts
from benchmarks.figure import Figure, show
from benchmarks.sets import Missing
from shared.embedding.encoder import Encoder, load_encoder
from shared.embedding.graph import INPUT
from shared.embedding.worker import Embedder

BARE_TOKENS = 4_096
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    return show(("embedding", figure) for figure in figures(parser.parse_args().full))


def figures(full: bool = False) -> Iterator[Figure]:
    """Times as ratios in this run; memory of the worker process."""
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the weights are not installed: run `make install`.")
    some = list(texts())[:: 1 if full else 4]
    ids = encoder.tokens(some)
    bare = _median(lambda: _bare(encoder, ids), lambda: encoder.encode(some))
    tokens = sum(len(one) for one in ids)
    yield Figure(f"tokens a second of processor time, {encoder.name}", tokens / bare[1], peer=tokens / bare[0])
    yield Figure("processor time of encode, in bare passes", bare[1] / bare[0], bar=1.15, at_most=True)
    seconds, memory = asyncio.run(_in_worker(some))
    yield Figure("seconds by the clock of the worker, cold", seconds, unit="s")
    yield Figure("memory of the worker", memory / 1e6, bar=250, at_most=True, unit="MB")
    yield from _of_precisions(some)


def _median(*works: Callable[[], object]) -> list[float]:
    """Seconds of processor time of each, in turns."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for seconds, work in zip(found, works, strict=True):
            begun = time.process_time()
            work()
            seconds.append(time.process_time() - begun)
    return [statistics.median(seconds) for seconds in found]


def _bare(encoder: Encoder, ids: list[list[int]]) -> None:
    by_length: dict[int, list[list[int]]] = {}
    for one in ids:
        by_length.setdefault(len(one), []).append(one)
    for length, alike in by_length.items():
        step = max(1, BARE_TOKENS // length)
        for start in range(0, len(alike), step):
            encoder.session.run(None, {INPUT: np.array(alike[start : start + step], np.int64)})


async def _in_worker(some: list[str]) -> tuple[float, int]:
    """Seconds from nothing to all vectors, two texts a caller; bytes of the process then."""
    embedder = Embedder()
    begun = time.perf_counter()
    await asyncio.gather(*(embedder.encode(some[place : place + 2]) for place in range(0, len(some), 2)))
    seconds = time.perf_counter() - begun
    memory = max(child.memory_info().rss for child in psutil.Process().children())
    await embedder.stop()
    return seconds, memory


def _of_precisions(some: list[str]) -> Iterator[Figure]:
    exact, rounded = load_encoder("fp32"), load_encoder("int8")
    assert exact is not None
    assert rounded is not None
    cosines = (exact.encode(some) * rounded.encode(some)).sum(axis=1)
    yield Figure("cosine of int8 to fp32, mean", float(cosines.mean()), bar=0.98)
    yield Figure("cosine of int8 to fp32, 1st percentile", float(np.percentile(cosines, 1)))
    times = _median(lambda: exact.encode(some), lambda: rounded.encode(some))
    yield Figure("processor time of int8, in that of fp32", times[1] / times[0])


if __name__ == "__main__":
    raise SystemExit(main())
