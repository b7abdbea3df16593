"""Sample traces, made from a seed: a shop's support agent, what its customers want and where it fails.

Planted are three failures: the refund tool that times out, the agent that asks for the same e-mail again and again,
and the agent that wrongly gives up on membership and bills. The words are in `demo.yaml`.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from insights.demo_runs import SECOND, Plan, build, new_id
from insights.demo_stories import Card, tell
from insights.demo_texts import Intent, draw_facts, pick, texts
from shared.errors import UsageError

END = datetime(2026, 6, 15, tzinfo=UTC)
DAYS = 14
ODD_SHARE = 0.05
MIXED_SHARE = 0.08
THREAD_SHARE = 0.20
UNFINISHED_SHARE = 0.015
HOURS = (2, 1, 1, 1, 1, 2, 5, 10, 16, 20, 22, 21, 18, 19, 20, 19, 18, 17, 18, 20, 19, 14, 8, 4)
WEEKDAYS = (1.2, 1.1, 1.0, 1.0, 0.95, 0.7, 0.6)


def generate(
    traces: int = 300, seed: int = 0, *, end: datetime | None = None, truth: bool = False, light: bool = False
) -> Iterator[dict[str, Any]]:
    """`traces` root runs with their `child_runs`, oldest first; the same arguments give the same bytes.

    They lie in the 14 days before `end`, which needs a time zone. `truth` adds what each is about, `light` makes
    short conversations without runs inside.
    """
    end = END if end is None else end
    if traces < 0:
        raise UsageError(f"{traces} traces cannot be made: give 0 or more.")
    if end.tzinfo is None:
        raise UsageError(f"end {end.isoformat()} has no time zone: add one, as in {end.isoformat()}+00:00.")
    return (_run(plan, truth=truth, light=light) for plan in _plans(random.Random(seed), traces, end))


def write(
    path: Path,
    traces: int = 300,
    seed: int = 0,
    *,
    end: datetime | None = None,
    truth: bool = False,
    light: bool = False,
) -> None:
    """The generated traces as a file of json lines; UsageError where it can't be written."""
    runs = generate(traces, seed, end=end, truth=truth, light=light)
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(run, ensure_ascii=False) + "\n" for run in runs)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): name a file in a folder that exists."
        ) from error


def _run(plan: Plan, *, truth: bool, light: bool) -> dict[str, Any]:
    customer = random.Random(plan.customer)
    facts = draw_facts(customer, texts().slots) | {"plan": pick(customer, ("free", "free", "plus"))}
    rng = random.Random(plan.seed)
    story = tell(rng, plan.card, facts, again=plan.again, light=light)
    run = build(rng, plan, story, light=light)
    return run | {"truth": _truth(plan.card)} if truth else run


def _truth(card: Card) -> dict[str, Any]:
    return {
        "area": card.intent.area if card.intent else None,
        "intent": card.intent.name if card.intent else None,
        "failure": card.failure,
        "mixed": card.mixed.name if card.mixed else None,
        "odd": card.odd,
    }


def _plans(rng: random.Random, traces: int, end: datetime) -> list[Plan]:
    """Every trace of the set, sorted by time."""
    cards = _cards(rng, traces)
    hours = _hours(end)
    plans = [plan for group in _groups(rng, cards) for plan in _group_plans(rng, group, hours)]
    quiet = [at for at, plan in enumerate(plans) if plan.card.failure is None]
    for at in rng.sample(quiet, min(len(quiet), round(traces * UNFINISHED_SHARE))):
        plans[at] = replace(plans[at], unfinished=True)
    return sorted(plans, key=lambda plan: (plan.start, plan.seed))


def _cards(rng: random.Random, traces: int) -> list[Card]:
    """By quota, not by chance, so that a small set has the shares of a large one."""
    odd_kinds = list(texts().odd)
    cards = [Card(odd=odd_kinds[place % len(odd_kinds)]) for place in range(round(traces * ODD_SHARE))]
    plain: list[Card] = []
    for intent, count in _quotas(texts().intents, traces - len(cards)):
        failing = [kind for kind, share in intent.failures.items() for _ in range(round(count * share))]
        cards += [Card(intent, kind) for kind in failing]
        plain += [Card(intent)] * (count - len(failing))
    for at in rng.sample(range(len(plain)), min(len(plain), round(traces * MIXED_SHARE))):
        others = [intent for intent in texts().intents if intent is not plain[at].intent]
        plain[at] = replace(plain[at], mixed=rng.choices(others, [intent.weight for intent in others])[0])
    cards += plain
    rng.shuffle(cards)
    return cards


def _quotas(intents: Sequence[Intent], count: int) -> list[tuple[Intent, int]]:
    """`count` shared out by weight; what rounding leaves goes to the largest remainders."""
    total = sum(intent.weight for intent in intents)
    counts = [intent.weight * count // total for intent in intents]
    by_rest = sorted(range(len(intents)), key=lambda at: -(intents[at].weight * count % total))
    for at in by_rest[: count - sum(counts)]:
        counts[at] += 1
    return list(zip(intents, counts, strict=True))


def _groups(rng: random.Random, cards: list[Card]) -> Iterator[list[Card]]:
    """Threads of two to four traces, mostly about one thing, then the others, each alone."""
    count = round(len(cards) * THREAD_SHARE)
    threaded = sorted(cards[:count], key=lambda card: card.intent.name if card.intent else "")
    place = 0
    while count - place > 1:
        size = min(rng.choice((2, 2, 2, 3, 3, 4)), count - place)
        if count - place - size == 1:  # no thread of one trace is left over
            size += 1 if size < 4 else -1
        yield threaded[place : place + size]
        place += size
    yield from ([card] for card in threaded[place:] + cards[count:])


def _group_plans(rng: random.Random, group: Sequence[Card], hours: tuple[int, list[float]]) -> Iterator[Plan]:
    """The last trace of a thread follows the rhythm of the day; each one before is up to a day and a half older."""
    first, cumulative = hours
    hour = rng.choices(range(len(cumulative)), cum_weights=cumulative)[0]
    start = first + hour * 3_600 * SECOND + int(rng.random() * 3_600 * SECOND)
    customer = rng.getrandbits(64)
    thread = new_id(rng) if len(group) > 1 else None
    for place, card in reversed(list(enumerate(group))):
        yield Plan(start, card, rng.getrandbits(64), customer, thread, again=place > 0)
        start -= int((start - first) * (0.002 + rng.random() * 0.1))


def _hours(end: datetime) -> tuple[int, list[float]]:
    """The first hour of the window in microseconds since 1970, and the running sum of each hour's weight.

    The last hour is left out, so that every trace has ended before `end`.
    """
    first = end.astimezone(UTC) - timedelta(days=DAYS)
    cumulative, total = [], 0.0
    for hour in range(DAYS * 24 - 1):
        at = first + timedelta(hours=hour)
        total += HOURS[at.hour] * WEEKDAYS[at.weekday()]
        cumulative.append(total)
    return int(first.timestamp()) * SECOND, cumulative
