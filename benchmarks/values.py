"""Open values: are spellings of one value found to be one, and others kept apart?

    python -m benchmarks.values [--limits]

The values are made up (`planted_values.py`). `--limits` prints precision and recall around the limit in use instead.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, show
from benchmarks.planted_values import ATTRIBUTES, Open
from benchmarks.sets import Missing
from services.categorizer import values
from shared.embedding.encoder import Encoder, load_encoder
from shared.job_config import AttributeSchema
from shared.values import canonical

LIMITS = (0.7, 0.74, 0.78, 0.8, 0.82, 0.84, 0.86, 0.9)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limits", action="store_true")
    return _show_limits() if parser.parse_args().limits else show(("values", figure) for figure in figures(full=True))


def figures(full: bool) -> Iterator[Figure]:
    encoder = _loaded()
    for held_out in (False, True):
        precision, recall = scores(encoder, held_out)
        name = "held-out open values" if held_out else "open values"
        yield Figure(f"{name}: of merged pairs, one value", precision, 0.95)
        yield Figure(f"{name}: of pairs of one value, merged", recall)


def scores(encoder: Encoder, held_out: bool) -> tuple[float, float]:
    """Precision and recall over pairs of spellings of all attributes that are held out, or not."""
    right, found, true = (
        sum(column) for column in zip(*(_pairs(encoder, one) for one in _chosen(held_out)), strict=True)
    )
    return right / max(found, 1), right / true


def _chosen(held_out: bool) -> list[Open]:
    return [one for one in ATTRIBUTES if one.held_out == held_out]


def _pairs(encoder: Encoder, planted: Open) -> tuple[int, int, int]:
    """Pairs that were merged rightly, that were merged, and that are one value."""
    truth = {spelling: at for at, group in enumerate(planted.values) for spelling in group}
    rows = [{planted.name: spelling} for spelling in truth]
    spellings = values.merged(rows, {planted.name: AttributeSchema(type="string")}, encoder.encode)
    said = {row[planted.name]: canonical(row, spellings)[planted.name] for row in rows}
    pairs = [(truth[one] == truth[other], said[one] == said[other]) for one, other in combinations(truth, 2)]
    counts = Counter(pairs)
    return counts[True, True], counts[True, True] + counts[False, True], counts[True, True] + counts[True, False]


def _show_limits() -> int:
    encoder = _loaded()
    table = Table("cosine", "precision", "recall", "precision, held out", "recall, held out", box=None)
    chosen = values.LIKE
    for limit in LIMITS:
        values.LIKE = limit
        table.add_row(
            f"{limit:.2f}", *(f"{one:.3f}" for held_out in (False, True) for one in scores(encoder, held_out))
        )
    values.LIKE = chosen
    Console(width=130).print(table)
    return 0


def _loaded() -> Encoder:
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the weights are not installed: run `make install`.")
    return encoder


if __name__ == "__main__":
    raise SystemExit(main())
