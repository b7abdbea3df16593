"""How long a report takes: whole and cold beside the bare network, and the tree of many given vectors.

A report of 1,000 traces of some 200 tokens is held against one bare onnxruntime pass over the same token ids, each in a
process of its own. Vectors at scale are sentence vectors drawn again with noise; a row of ten times the rows may take
eleven times as long.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from benchmarks.figure import Figure
from benchmarks.memory import run
from benchmarks.sets import Missing
from insights.demo import generate
from insights.process import ROUTERS, running
from services.categorizer.clustering import tree
from services.categorizer.naming.tree import name_tree
from services.summarizer.local import summarize
from shared.config import Settings
from shared.context import load
from shared.embedding.encoder import batches, load_encoder
from shared.features import Features
from shared.frozen import FrozenJobs
from shared.models import JobState

TRACES = 1_000
LONGEST, MEMORY = 1.8, 550.0  # times the bare pass; MB
TIMES, LARGEST_MEMORY = 11.0, 5.0  # for ten times the rows; GB
DRAWN, NOISE, CHUNK = 1_000, 0.35, 65_536  # texts that are drawn again, length of the noise, rows at a time
ASIDES = (
    "I have been a customer here for some years and was always content until now.",
    "My sister told me that it worked for her last week without any trouble.",
    "I looked through the help pages but did not find what I was looking for.",
    "The weather has been awful, so I would rather not leave the house for this.",
    "Please take your time and tell me when you are done.",
    "I am writing from my phone, so forgive me if something is misspelt.",
    "It would be good to have this settled before the weekend.",
    "I did restart everything twice already as your colleague had suggested.",
    "Somebody in the shop said that this is done within a day.",
    "If there is anything that I can send you from my side, just say so.",
)


def figures(full: bool) -> Iterator[Figure]:
    yield from _report()
    sizes = (10_000, 100_000, 1_000_000) if full else (3_000, 30_000)
    done = {rows: run([sys.executable, "-m", "benchmarks.speed", "tree", str(rows)]) for rows in sizes}
    seconds = {rows: json.loads(one.output)["seconds"] for rows, one in done.items()}
    for fewer, rows in pairwise(sizes):
        what = f"{rows:,} vectors to a named tree ({seconds[rows]:.1f} s): times {fewer:,}"
        yield Figure(what, seconds[rows] / seconds[fewer], TIMES, at_most=True)
    memory = done[sizes[-1]].memory / 1e9
    yield Figure(f"memory for {sizes[-1]:,} vectors", memory, LARGEST_MEMORY, at_most=True, unit="GB")


def _report() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as place:
        folder = Path(place)
        file = folder / "traces.jsonl"
        file.write_text("".join(json.dumps(trace) + "\n" for trace in _long(TRACES)))
        command = [str(Path(sys.executable).parent / "insights"), "analyze", str(file), "--data", place]
        ours = run([*command, "--json", str(folder / "report.json")])
        tokens = folder / "tokens.json"
        tokens.write_text(json.dumps(asyncio.run(_tokens(folder))))
        bare = json.loads(run([sys.executable, "-m", "benchmarks.speed", "bare", str(tokens)]).output)["seconds"]
    what = f"{TRACES:,} traces, cold, to the report ({ours.seconds:.1f} s): times the bare pass ({bare:.1f} s)"
    yield Figure(what, ours.seconds / bare, LONGEST, peer=1.0, at_most=True)
    yield Figure("memory of the process tree", ours.memory / 1e6, MEMORY, at_most=True, unit="MB")


def _long(traces: int) -> Iterator[dict[str, Any]]:
    """The demo's traces, each with an aside of the user's own of some 150 words."""
    dice = random.Random(1)
    for trace in generate(traces, seed=1):
        aside = " ".join(dice.choice(ASIDES) for _ in range(14))
        first = _first(trace)
        first["content"] = f"{first['content']} {aside}"
        yield trace


def _first(trace: dict[str, Any]) -> dict[str, Any]:
    """The user's first message."""
    messages: list[dict[str, Any]] = trace["inputs"]["messages"]
    return next(message for message in messages if message["role"] == "user")


async def _tokens(folder: Path) -> list[list[int]]:
    """The ids of all that the report in this data folder embedded of its traces."""
    async with running(tuple(ROUTERS), Settings.load(), folder) as process:
        [job] = await process.store.jobs_in({JobState.SUCCESS})
        frozen = await FrozenJobs(process.store).get(job.workspace_id, job.id)
        items = await process.store.items(job.workspace_id, job.id, limit=TRACES)
        loaded = await load(process.store, items, frozen.prompt)
    texts: list[str] = []
    for one in loaded:
        summary = summarize(frozen.prompt.render(one.context()), frozen.plan)
        texts += [text for text in (summary.features.request, summary.gist) if text]
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the package of weights is not installed")
    return encoder.tokens(texts)


def _bare(file: Path) -> float:
    """Seconds of the network alone over these ids."""
    ids = json.loads(file.read_text())
    encoder = load_encoder()
    assert encoder is not None
    encoder.encode(["warm"])
    ready = [np.array([ids[at] for at in batch]) for batch in batches(np.array([len(one) for one in ids]))]
    begun = time.perf_counter()
    for batch in ready:
        encoder.vectors(batch)
    return time.perf_counter() - begun


def _tree(rows: int) -> float:
    """Seconds from vectors to a named tree: real requests drawn again, each with noise of its own."""
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the package of weights is not installed")
    texts = [_first(trace)["content"] for trace in generate(DRAWN, seed=2, light=True)]
    known = encoder.encode(texts)
    dice = np.random.default_rng(0)
    chosen = dice.integers(len(texts), size=rows)
    vectors = np.empty((rows, known.shape[1]), np.float32)
    for start in range(0, rows, CHUNK):
        part = chosen[start : start + CHUNK]
        noise = dice.standard_normal((len(part), known.shape[1]), np.float32) * (NOISE / known.shape[1] ** 0.5)
        vectors[start : start + CHUNK] = normalize(known[part] + noise)
    pool = [Features(request=text, language="en") for text in texts]
    items = [pool[at] for at in chosen]
    with threadpool_limits(1):  # as in the worker process
        begun = time.perf_counter()
        found = tree(vectors)
        name_tree(items, found.leaf, found.category, encoder.encode, vectors)
        return time.perf_counter() - begun


if __name__ == "__main__":
    what, given = sys.argv[1:]
    print(json.dumps({"seconds": _bare(Path(given)) if what == "bare" else _tree(int(given))}))
