"""The texts of the sample traces (`demo.yaml`) and how a customer's words are made from them."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml

T = TypeVar("T")
Facts = Mapping[str, str]
Pair = Sequence[str]
REGISTERS = ("polite", "neutral", "terse", "angry")
REGISTER_SHARES = (30, 65, 85, 100)
TYPOS = 0.10
WORD = re.compile(r"\b[a-z]{4,}\b")


@dataclass(frozen=True, slots=True)
class Tool:
    """One call with its arguments and its result; their strings may hold slots."""

    name: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which the agent deals with an intent: the tools it calls, then one of the answers."""

    tools: tuple[Tool, ...]
    answers: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Intent:
    """What a customer wants. `failures` is the share of traces in which each planted failure happens.

    `pace` multiplies every duration, `score` is the share of good feedback where nothing failed.
    """

    name: str
    area: str
    weight: int
    pace: float
    score: float
    openings: Sequence[str]
    details: Sequence[str]
    terse: Sequence[str]
    ask: Sequence[str]
    give: Sequence[str]
    cases: tuple[Case, ...]
    follow: Sequence[Pair]
    failures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Texts:
    """All of `demo.yaml`; `phrases` are its parts that belong to no intent."""

    system: str
    intents: tuple[Intent, ...]
    slots: Mapping[str, Sequence[str]]
    odd: Mapping[str, Sequence[Pair]]
    failures: Mapping[str, Any]
    phrases: Mapping[str, Any]


@cache
def texts() -> Texts:
    found = yaml.safe_load((files("insights") / "demo.yaml").read_text(encoding="utf-8"))
    intents = [
        _intent(name, area, values, found["areas"][area])
        for area in found["areas"]
        for name, values in found["areas"][area]["intents"].items()
    ]
    own = {"system", "slots", "areas", "failures", "odd"}
    return Texts(
        system=found["system"].strip(),
        intents=tuple(intents),
        slots=found["slots"],
        odd=found["odd"],
        failures=found["failures"],
        phrases={key: value for key, value in found.items() if key not in own},
    )


def _intent(name: str, area: str, values: Mapping[str, Any], of_area: Mapping[str, Any]) -> Intent:
    shares = {**of_area, **values}
    return Intent(
        name=name,
        area=area,
        pace=of_area["pace"],
        score=of_area["score"],
        cases=tuple(
            Case(tuple(Tool(*tool) for tool in case["tools"]), tuple(case["answers"])) for case in values["cases"]
        ),
        failures={kind: shares[kind] for kind in ("timeout", "loop", "gives_up") if kind in shares},
        **{key: values[key] for key in ("weight", "openings", "details", "terse", "ask", "give", "follow")},
    )


def pick(rng: random.Random, values: Sequence[T]) -> T:
    """As rng.choice, in a third of the time."""
    return values[int(rng.random() * len(values))]


def draw_facts(rng: random.Random, slots: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """A value for each slot: one customer with one order."""
    facts = {name: pick(rng, values) for name, values in slots.items()}
    handle = f"{facts['name']}.{facts['surname']}".lower()
    return facts | {
        "email": f"{handle}{int(rng.random() * 90) + 10}@example.{pick(rng, ('com', 'org', 'net'))}",
        "order": f"LM-{int(rng.random() * 90_000) + 10_000}",
        "case": str(int(rng.random() * 90_000) + 10_000),
        "amount": f"{rng.lognormvariate(3.7, 0.7):.2f}",
        "code": f"{int(rng.random() * 65_536):04X}",
        "days": str(int(rng.random() * 9) + 3),
        "number": str(int(rng.random() * 97) + 2),
    }


def opening(rng: random.Random, intent: Intent, facts: Facts, *, second: Intent | None = None) -> str:
    """A customer's first message in one of the registers; with `second`, it asks for two things."""
    phrases = texts().phrases
    register = _register(rng)
    text = pick(rng, intent.terse if register == "terse" else intent.openings)
    if register != "terse" and rng.random() < 0.45:
        text += " " + pick(rng, intent.details)
    if second is not None:
        text = _ended(text) + " " + _joined(pick(rng, phrases["also"]), pick(rng, second.openings))
    closer: str = pick(rng, phrases["closers"][register])
    return (_joined(pick(rng, phrases["openers"][register]), text) + closer).format_map(facts)


def _register(rng: random.Random) -> str:
    roll = rng.random() * 100
    return next(name for name, below in zip(REGISTERS, REGISTER_SHARES, strict=True) if roll < below)


def _ended(text: str) -> str:
    return text if text[-1] in ".?!" else text + "."


def _joined(start: str, text: str) -> str:
    """After a comma a sentence goes on with a small letter."""
    if start.endswith(", ") and not text.startswith(("I ", "{")):
        text = text[0].lower() + text[1:]
    return start + text


def misspelt(rng: random.Random, text: str) -> str:
    """`text` with one to three slips: two letters swapped, one dropped or one twice; numbers and mails stay."""
    for _ in range(int(rng.random() * 3) + 1):
        words = [match for match in WORD.finditer(text) if "@" not in text[match.end() : match.end() + 20]]
        if not words:
            break
        word = pick(rng, words)
        at = word.start() + 1 + int(rng.random() * (len(word[0]) - 2))
        slip = pick(rng, (text[at + 1] + text[at], text[at + 1], text[at] * 2 + text[at + 1]))
        text = text[:at] + slip + text[at + 2 :]
    return text
