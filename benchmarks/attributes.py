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

from benchmarks import planted_choices
from benchmarks.figure import Figure, show
from benchmarks.planted import ATTRIBUTES, Planted, conversations
from benchmarks.planted_choices import Choices
from benchmarks.pull import pulled, topics
from benchmarks.sets import Missing
from services.attribute_extractor import booleans, choices
from services.attribute_extractor.booleans import Boolean
from services.attribute_extractor.choices import Choice
from services.attribute_extractor.reading import Piece, pieces
from services.attribute_extractor.statements import claim
from services.categorizer.clustering.sphere import Array
from shared.embedding.encoder import Encoder, load_encoder
from shared.general import general_requests
from shared.job_config import AttributeSchema
from shared.messages import Turn

Value = bool | str | None
Flags = np.ndarray[Any, np.dtype[np.bool_]]
CONVERSATIONS = 300  # of each attribute and seed
MARGINS = (-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12)
COLUMNS = ("precision", "recall", "null kept", "precision, held out", "recall, held out")


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation as the extractor reads it, and what is stated in it."""

    said: list[Piece]
    vectors: Array
    truth: Value


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--margins", action="store_true")
    options = parser.parse_args()
    if options.margins:
        _show_choices(_loaded())
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
    yield from _chosen(encoder, 3 if full else 1)
    yield from _steering(encoder, (0, 1, 2) if full else (0,))


def scores(found: Sequence[tuple[Value, Value]]) -> tuple[float, float, float]:
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


def _answers(encoder: Encoder, planted: Planted, seeds: int) -> Iterator[tuple[Case, Value]]:
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
    return _read(encoder, [(one.messages, one.truth) for one in made])


def _chosen(encoder: Encoder, seeds: int) -> Iterator[Figure]:
    """Attributes with given values. Precision of the held-out ones has no bar: a topic says "summer" of its own."""
    for held_out in (False, True):
        planted = [one for one in planted_choices.ATTRIBUTES if one.held_out == held_out]
        ready = [(_choice(encoder, one), _stated(encoder, one, seeds)) for one in planted]
        found = [(case.truth, asked.judge(case.said, case.vectors)) for asked, cases in ready for case in cases]
        name = "held-out choices" if held_out else "planted choices"
        precision, recall, null = scores(found)
        yield Figure(f"{name}: precision", precision, None if held_out else 0.95)
        yield Figure(f"{name}: recall", recall)
        yield Figure(f"{name}: null where nothing is stated", null, 0.95)


def _choice(encoder: Encoder, planted: Choices) -> Choice:
    values = choices.told(list(planted.stated))
    return Choice(values, encoder.encode(choices.texts(planted.name, values)))


def _stated(encoder: Encoder, planted: Choices, seeds: int) -> list[Case]:
    made = [one for seed in range(seeds) for one in planted_choices.conversations(planted, CONVERSATIONS, seed)]
    return list(_read(encoder, made))


def _read(encoder: Encoder, made: Sequence[tuple[planted_choices.Messages, Value]]) -> Iterator[Case]:
    read = [
        pieces([Turn("user" if role == "user" else "assistant", text) for role, text in messages])
        for messages, _ in made
    ]
    texts = sorted({piece.text for said in read for piece in said})
    rows = dict(zip(texts, encoder.encode(texts), strict=True))
    for (_, truth), said in zip(made, read, strict=True):
        yield Case(said, np.stack([rows[piece.text] for piece in said]), truth)


def _cells(ready: Sequence[tuple[Planted | Choices, Boolean | Choice, list[Case]]], held_out: bool) -> list[str]:
    """Precision and recall, and what is null of where nothing is stated, of the attributes that are held out or not."""
    found = [
        (case.truth, question.judge(case.said, case.vectors))
        for one, question, cases in ready
        if one.held_out == held_out
        for case in cases
    ]
    return [f"{value:.3f}" for value in scores(found)[: 2 if held_out else 3]]


def _show_choices(encoder: Encoder) -> None:
    """The limits on given values, one by one."""
    ready = [(one, _choice(encoder, one), _stated(encoder, one, 1)) for one in planted_choices.ATTRIBUTES]
    table = Table(
        "fits", "clear", "precision", "recall", "null kept", "precision, held out", "recall, held out", box=None
    )
    chosen = choices.FITS, choices.CLEAR
    for fits in (0.2, 0.25, 0.3, 0.35):
        for clear in (0.06, 0.08, 0.1, 0.15):
            choices.FITS, choices.CLEAR = fits, clear
            row = [f"{fits:.2f}", f"{clear:.2f}"]
            for held_out in (False, True):
                row += _cells(ready, held_out)
            table.add_row(*row)
    choices.FITS, choices.CLEAR = chosen
    Console(width=130).print(table)


def _show_margins(encoder: Encoder) -> int:
    """The limits on likeness plus leaning, all moved together."""
    table = Table("moved by", *COLUMNS, box=None)
    limits = ("ABOUT", "ABOUT_NEGATED", "ABOUT_IN_WORDS")
    ready = [(one, _question(encoder, one), list(_cases(encoder, one, 1))) for one in ATTRIBUTES]
    chosen = {name: getattr(booleans, name) for name in limits}
    for margin in MARGINS:
        for name, value in chosen.items():
            setattr(booleans, name, value + margin)
        row = [f"{margin:+.2f}"]
        for held_out in (False, True):
            row += _cells(ready, held_out)
        table.add_row(*row)
    Console(width=130).print(table)
    return 0


def _steering(encoder: Encoder, seeds: Sequence[int]) -> Iterator[Figure]:
    """A boolean that has nothing to do with the topic: some of CLINC150's intents, half of whose items have it."""
    measured = []
    for seed in seeds:
        found = topics(seed)
        told = [{"planted": bool(value)} for value in found.holds]
        schemas = {"planted": AttributeSchema(type="boolean")}
        measured.append(pulled(encoder.encode(found.requests), found, told, schemas, seed))
    raised, cost = np.mean(measured, axis=0)
    yield Figure("steering boolean: purity of subcategories raised by", float(raised), 0.2)
    yield Figure("steering boolean: NMI of the topics lost", float(cost), 0.05, at_most=True)


if __name__ == "__main__":
    raise SystemExit(main())
