"""Attributes without a model: are planted facts found and nothing else, and do they steer the categories.

    python -m benchmarks.attributes [--full] [--margins]

The conversations are made up (`planted.py`); some of the attributes had no part in the choice of rules and limits.
`--margins` prints precision and recall around the limits in use instead: what they were chosen by.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.figure import Figure, show
from benchmarks.planted import ATTRIBUTES, Planted, conversations
from benchmarks.sets import Missing, labelled
from services.attribute_extractor import booleans
from services.attribute_extractor.booleans import Boolean
from services.attribute_extractor.reading import Piece, pieces
from services.attribute_extractor.statements import claim
from services.categorizer import steering
from services.categorizer.clustering import tree
from services.categorizer.clustering.sphere import Array, Labels
from shared.embedding.encoder import Encoder, load_encoder
from shared.general import general_requests
from shared.job_config import AttributeSchema
from shared.messages import Turn

Flags = np.ndarray[Any, np.dtype[np.bool_]]
CONVERSATIONS = 300  # of each attribute and seed
MARGINS = (-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12)
TOPICS = 20
ITEMS = 2_000


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation as the extractor reads it, and what is stated in it."""

    said: list[Piece]
    vectors: Array
    truth: bool | None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--margins", action="store_true")
    options = parser.parse_args()
    if options.margins:
        return _show_margins(_loaded())
    return show(("attributes", figure) for figure in figures(options.full))


def figures(full: bool) -> Iterator[Figure]:
    encoder = _loaded()
    for held_out in (False, True):
        planted = [one for one in ATTRIBUTES if one.held_out == held_out]
        found = [(case.truth, value) for one in planted for case, value in _answers(encoder, one, 3 if full else 1)]
        name = "held-out booleans" if held_out else "planted booleans"
        precision, recall, null = scores(found)
        yield Figure(f"{name}: precision", precision, 0.95)
        yield Figure(f"{name}: recall", recall)
        yield Figure(f"{name}: null where nothing is stated", null, 0.95)
    yield from _steering(encoder, (0, 1, 2) if full else (0,))


def scores(found: Sequence[tuple[bool | None, bool | None]]) -> tuple[float, float, float]:
    """Of pairs (stated, extracted): precision and recall, and the share of null where nothing is stated."""
    given = [stated == value for stated, value in found if value is not None]
    stated_ones = [stated == value for stated, value in found if stated is not None]
    silent = [value is None for stated, value in found if stated is None]
    return float(np.mean(given)) if given else 1.0, float(np.mean(stated_ones)), float(np.mean(silent))


def _loaded() -> Encoder:
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the weights are not installed: run `make install`.")
    return encoder


def _answers(encoder: Encoder, planted: Planted, seeds: int) -> Iterator[tuple[Case, bool | None]]:
    question = _question(encoder, planted)
    for case in _cases(encoder, planted, seeds):
        yield case, question.judge(case.said, case.vectors)


def _question(encoder: Encoder, planted: Planted) -> Boolean:
    stated = claim(planted.name, planted.schema.description)
    statements, denials = zip(*stated.pairs, strict=True)
    general = encoder.encode(general_requests())
    return Boolean.of(stated, encoder.encode(statements), encoder.encode(denials), general)


def _cases(encoder: Encoder, planted: Planted, seeds: int) -> Iterator[Case]:
    """Each different piece is encoded once."""
    made = [one for seed in range(seeds) for one in conversations(planted, CONVERSATIONS, seed)]
    read = [
        pieces([Turn("user" if role == "user" else "assistant", text) for role, text in one.messages]) for one in made
    ]
    texts = sorted({piece.text for said in read for piece in said})
    rows = dict(zip(texts, encoder.encode(texts), strict=True))
    for one, said in zip(made, read, strict=True):
        yield Case(said, np.stack([rows[piece.text] for piece in said]), one.truth)


def _show_margins(encoder: Encoder) -> int:
    """The limits on likeness plus leaning, all moved together."""
    table = Table("moved by", "precision", "recall", "null kept", "precision, held out", "recall, held out", box=None)
    limits = ("ABOUT", "ABOUT_NEGATED", "ABOUT_IN_WORDS")
    ready = [(one, _question(encoder, one), list(_cases(encoder, one, 1))) for one in ATTRIBUTES]
    chosen = {name: getattr(booleans, name) for name in limits}
    for margin in MARGINS:
        for name, value in chosen.items():
            setattr(booleans, name, value + margin)
        row = [f"{margin:+.2f}"]
        for held_out in (False, True):
            found = [
                (case.truth, question.judge(case.said, case.vectors))
                for one, question, cases in ready
                if one.held_out == held_out
                for case in cases
            ]
            row += [f"{value:.3f}" for value in scores(found)[: 2 if held_out else 3]]
        table.add_row(*row)
    Console(width=130).print(table)
    return 0


def _steering(encoder: Encoder, seeds: Sequence[int]) -> Iterator[Figure]:
    """A boolean that has nothing to do with the topic: some of CLINC150's intents, half of whose items have it."""
    texts = labelled("clinc150", splits=("train", "val", "test"))
    measured = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        intents = rng.choice(sorted(set(texts.labels)), TOPICS, replace=False)
        rows = rng.permutation(np.flatnonzero(np.isin(texts.labels, intents)))[:ITEMS]
        domains = np.unique([str(texts.parents[at]) for at in rows], return_inverse=True)[1]
        vectors = encoder.encode([texts.texts[at] for at in rows])
        measured.append(_pulled(vectors, domains, rng.random(len(rows)) < 0.5, seed))
    raised, cost = np.mean(measured, axis=0)
    yield Figure("steering boolean: purity of subcategories raised by", float(raised), 0.2)
    yield Figure("steering boolean: NMI of the topics lost", float(cost), 0.05, at_most=True)


def _pulled(vectors: Array, topics: Labels, holds: Flags, seed: int) -> tuple[float, float]:
    """What steering adds to the purity of leaves, and costs the categories in NMI with the topics."""
    schemas = {"planted": AttributeSchema(type="boolean")}
    columns = steering.columns([{"planted": bool(value)} for value in holds], schemas)
    plain, steered = tree(vectors, seed=seed), tree(vectors, seed=seed, columns=columns)
    purity = [_purity(one.leaf, holds) for one in (plain, steered)]
    nmi = [normalized_mutual_info_score(topics, one.category[one.leaf]) for one in (plain, steered)]
    return purity[1] - purity[0], nmi[0] - nmi[1]


def _purity(leaf: Labels, holds: Flags) -> float:
    shares = [max(np.mean(holds[leaf == at]), 1 - np.mean(holds[leaf == at])) * np.mean(leaf == at) for at in set(leaf)]
    return float(np.sum(shares))


if __name__ == "__main__":
    raise SystemExit(main())
