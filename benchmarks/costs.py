"""What a report by a model costs, counted at the stand-in: beside Kura, in money, and as the traces grow.

Kura reads the same conversations; only chat completions are held against each other, since vectors may be made on the
spot by both. Of the tokens, one reading of each conversation is taken off: nobody can do without.

The stand-in's answers have the length of what they are made of, and it does not reason: money is a lower bound there.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.endpoint import Counted, Spent, counted
from benchmarks.environment import PEERS, python_of
from benchmarks.figure import Figure
from benchmarks.sets import Missing, traces
from insights.demo import generate
from insights.fake_model import tokens
from shared.llm import Prices

CALLS, SHARE = 1.1, 0.5  # a trace; of Kura's tokens
DOLLARS, PRICED = 0.50, "gpt-5-mini"  # 1,000 traces
TIMES = 10.5  # for ten times the traces
UNCUT = 300  # tokens of a conversation of which neither we nor Kura leave out anything
Messages = list[dict[str, Any]]


def figures(full: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as place, counted(Path(place)) as endpoint:
        folder = Path(place)
        yield from _beside_kura(endpoint, folder, 600 if full else 150)
        yield from _growth(endpoint, folder, 1_000 if full else 300)
        yield from _price(endpoint, folder)


def _beside_kura(endpoint: Counted, folder: Path, many: int) -> Iterator[Figure]:
    short = (run for run in map(_talk, generate(2 * many)) if _reading(_told(run)) <= UNCUT)
    runs = list(islice(short, many))
    talks = [_told(run) for run in runs]
    reading = sum(map(_reading, talks))
    ours = endpoint.analyze(_written(folder / "talks.jsonl", runs))
    what = f"{many:,} conversations of {reading / many:.0f} tokens, calls a conversation"
    try:
        kura = _kura(endpoint, folder, talks)
    except Missing:
        yield Figure(what, ours.calls / many, CALLS, at_most=True)
        raise
    yield Figure(what, ours.calls / many, CALLS, peer=kura.calls / many, at_most=True)
    beyond, peer = (ours.tokens - reading) / many, (kura.tokens - reading) / many
    yield Figure("tokens beyond one reading, a conversation", beyond, SHARE * peer, peer=peer, at_most=True)


def _growth(endpoint: Counted, folder: Path, many: int) -> Iterator[Figure]:
    runs = list(generate(many))
    some, every = (endpoint.analyze(_written(folder / f"demo-{n}.jsonl", runs[:n])) for n in (many // 10, many))
    what = f"{many:,} traces of the demo: times the tokens of its first {many // 10}"
    yield Figure(what, every.tokens / some.tokens, TIMES, at_most=True)


def _price(endpoint: Counted, folder: Path) -> Iterator[Figure]:
    runs = traces("tau_bench").runs
    spent = endpoint.analyze(_written(folder / "tau.jsonl", runs))
    what = f"tau_bench, 1,000 traces at {PRICED}'s list price ({spent.tokens / len(runs):,.0f} tokens a trace)"
    yield Figure(what, _dollars(spent) / len(runs) * 1_000, DOLLARS, at_most=True, unit="$")


def _dollars(spent: Spent) -> float:
    price = Prices.load().models[PRICED]
    return (spent.prompt * price.input + spent.completion * price.output) / 1e6


def _talk(run: dict[str, Any]) -> dict[str, Any]:
    """Of a trace what Kura can hold: what the user and the assistant say to each other."""
    sides = {side: {"messages": _said(run[side])} for side in ("inputs", "outputs")}
    return {**run, **sides, "child_runs": []}


def _told(run: dict[str, Any]) -> Messages:
    return [*run["inputs"]["messages"], *run["outputs"]["messages"]]


def _reading(talk: Messages) -> int:
    """Tokens of the conversation as a text."""
    return tokens.count("\n".join(f"{one['role']}: {one['content']}" for one in talk))


def _said(side: dict[str, Any] | None) -> Messages:
    """Of the inputs, or of the outputs, which an unfinished run has none of."""
    return [
        {"role": one["role"], "content": one["content"]}
        for one in (side or {"messages": []})["messages"]
        if one["role"] in ("user", "assistant") and one.get("content")
    ]


def _kura(endpoint: Counted, folder: Path, talks: list[Messages]) -> Spent:
    file = folder / "talks.json"
    file.write_text(json.dumps(talks))
    return endpoint.run([python_of("kura"), PEERS / "run_kura.py", file])


def _written(path: Path, runs: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(run) + "\n" for run in runs))
    return path
