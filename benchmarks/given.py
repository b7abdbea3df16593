"""Categories that the user gives: how many items go where they belong, and what becomes of those that fit none.

    python -m benchmarks.given [--full]

CLINC150's ten domains, each with one line that was written from its name alone. Seeds draw the examples.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.figure import Figure, show
from benchmarks.sets import Labelled, Missing, labelled
from services.categorizer import given
from services.categorizer.clustering.sphere import Array, Labels
from services.categorizer.draft import NOWHERE
from shared.embedding.encoder import Encoder, load_encoder

SEEDS = (0, 1, 2)
EXAMPLES = 10
DOMAINS = {
    "auto_and_commute": "Car maintenance, fuel, tires, traffic, directions and commuting.",
    "banking": "Bank accounts, balances, transfers, bills, transactions and fraud reports.",
    "credit_cards": "Credit card applications, limits, rewards, credit score, APR and lost or declined cards.",
    "home": "Smart home devices, shopping and to-do lists, reminders, calendar, music and orders at home.",
    "kitchen_and_dining": "Recipes, cooking, ingredients, nutrition, restaurants and reservations.",
    "meta": "Settings of the assistant itself: change language, accent, name, volume, cancel, repeat, yes or no.",
    "small_talk": "Greetings, jokes, thanks, fun facts and personal questions to the bot.",
    "travel": "Flights, hotels, luggage, visas, vaccines, trips and translation for travelers.",
    "utility": "Time, date, timers, alarms, weather, calculator, conversions, definitions, spelling, text and calls.",
    "work": "Payday, taxes, vacation days and leave, meetings, insurance, direct deposit and job benefits.",
}
CATEGORIES = {name.replace("_", " "): about for name, about in DOMAINS.items()}
TEST = ("test", "oos_test")
ALL = ("train", "val", *TEST, "oos_train", "oos_val")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    return show(("given", figure) for figure in figures(parser.parse_args().full))


def figures(full: bool) -> Iterator[Figure]:
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the weights are not installed: run `make install`.")
    parts = {"test part": TEST, **({"all parts": ALL} if full else {})}
    for name, splits in parts.items():
        texts = labelled("clinc150", splits=splits)
        yield from _figures(name, encoder, texts, encoder.encode(texts.texts), judged=splits == ALL)


def _figures(name: str, encoder: Encoder, texts: Labelled, vectors: Array, *, judged: bool) -> Iterator[Figure]:
    """`judged` has as many items as the bars of "none" were set for: it is found by neighbours, so fewer tell less."""
    place_of = {name: place for place, name in enumerate(DOMAINS)}
    truth = np.array([place_of.get(parent or "", NOWHERE) for parent in texts.parents])
    inside = truth != NOWHERE
    alone = given.assign(vectors[inside], CATEGORIES, {}, encoder.encode, none=False)
    yield Figure(f"{name}: domains by one line", float((alone == truth[inside]).mean()), 0.80)
    told = [_with_examples(encoder, texts, vectors, truth, seed) for seed in SEEDS]
    yield Figure(f"{name}: with {EXAMPLES} examples each", float(np.mean(told)), 0.87)
    falls = given.assign(vectors[inside], CATEGORIES, {}, encoder.encode) == NOWHERE
    yield Figure(f"{name}: to none where all is in scope", float(falls.mean()), 0.05, at_most=True)
    place = given.assign(vectors, CATEGORIES, {}, encoder.encode)
    none = place == NOWHERE
    bars = (0.9, 0.1) if judged else (None, None)
    yield Figure(f"{name}: out of scope to none", float(none[~inside].mean()), bars[0])
    yield Figure(f"{name}: in scope to none", float(none[inside].mean()), bars[1], at_most=True)
    yield Figure(f"{name}: right, with none", float((place == truth).mean()))


def _with_examples(encoder: Encoder, texts: Labelled, vectors: Array, truth: Labels, seed: int) -> float:
    """Accuracy over the items in scope that are no examples."""
    rng = np.random.default_rng(seed)
    chosen = [_drawn(truth, place, rng) for place in range(len(CATEGORIES))]
    examples = {name: [texts.texts[at] for at in rows] for name, rows in zip(CATEGORIES, chosen, strict=True)}
    rest = np.setdiff1d(np.flatnonzero(truth != NOWHERE), np.concatenate(chosen))
    place = given.assign(vectors[rest], CATEGORIES, examples, encoder.encode, none=False)
    return float((place == truth[rest]).mean())


def _drawn(truth: Labels, place: int, rng: np.random.Generator) -> Sequence[int]:
    return [int(at) for at in rng.choice(np.flatnonzero(truth == place), EXAMPLES, replace=False)]


if __name__ == "__main__":
    raise SystemExit(main())
