"""The public data that is measured on: labelled texts and traces with the truth beside them, from ../shared/data.

The draws are those of the reference's `eval_open.py`, so that figures compare.
"""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


class Missing(Exception):
    """What a bench needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts with their labels and, where the source has two levels, their parents."""

    ids: list[str]
    texts: list[str]
    labels: list[str]
    parents: list[str | None]


@dataclass(frozen=True, slots=True)
class Traces:
    """Runs without their truth; labels are None where the source has none."""

    name: str
    runs: list[dict[str, Any]]
    leaves: list[str | None]
    tops: list[str | None]


def labelled(name: str, *, splits: tuple[str, ...] = ("test",)) -> Labelled:
    rows = [row for row in _rows(f"labelled_{name}.jsonl") if row["split"] in splits]
    return Labelled(
        [row["id"] for row in rows],
        [row["text"] for row in rows],
        [row["label"] for row in rows],
        [row["parent"] for row in rows],
    )


# file, how many at most, truth key of leaf and top
OPEN = {
    "tau_bench": ("traces_tau_bench.jsonl", 999, "task_id", "domain"),
    "mint": ("traces_mint.jsonl.gz", 600, "dataset", "family"),
    "arena_hard": ("traces_arena_hard.jsonl.gz", 800, "cluster", "subcategory"),
}


def traces(name: str) -> Traces:
    """One of OPEN, or devmix: 1,000 traces of all three, whose labels are the source's label below its name."""
    if name == "devmix":
        return _devmix()
    file, most, leaf, top = OPEN[name]
    runs = _drawn(_rows(file), most)
    return _traces(name, runs, lambda run: run["truth"].get(leaf), lambda run: run["truth"].get(top))


def _devmix() -> Traces:
    """7 tops and 13 leaves: mint's families over its data sets, tau's domains as one service, arena's subcategories."""
    drawn = [
        *_labels("tau_bench", lambda truth: ("customer service", truth.get("domain"))),
        *_labels("mint", lambda truth: (truth.get("family"), truth.get("dataset"))),
        *_labels("arena_hard", lambda truth: (truth.get("subcategory"), truth.get("subcategory"))),
    ]
    chosen = _drawn(drawn, 1_000)
    return Traces(
        "devmix", [run for run, _ in chosen], [leaf for _, (_, leaf) in chosen], [top for _, (top, _) in chosen]
    )


Labels = tuple[str | None, str | None]  # top, leaf


def _labels(name: str, of: Callable[[dict[str, Any]], Labels]) -> list[tuple[dict[str, Any], Labels]]:
    found: list[tuple[dict[str, Any], Labels]] = []
    for run in _rows(OPEN[name][0]):
        labels = of(run["truth"])
        if labels[0] is not None:
            shown = {key: value for key, value in run.items() if key != "truth"}
            found.append((shown, (f"{name} {labels[0]}", f"{name} {labels[1]}")))
    return found


def _traces(
    name: str,
    runs: list[dict[str, Any]],
    leaf: Callable[[dict[str, Any]], Any],
    top: Callable[[dict[str, Any]], Any],
) -> Traces:
    def text(value: Any) -> str | None:
        return None if value is None else str(value)

    shown = [{key: value for key, value in run.items() if key != "truth"} for run in runs]
    return Traces(name, shown, [text(leaf(run)) for run in runs], [text(top(run)) for run in runs])


def _drawn(rows: list[Any], most: int) -> list[Any]:
    if len(rows) <= most:
        return rows
    return [rows[at] for at in sorted(random.Random(0).sample(range(len(rows)), most))]


def _rows(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    if not path.is_file():
        raise Missing(f"../shared/data/{name} is not there")
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
