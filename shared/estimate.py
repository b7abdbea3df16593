"""What a job will take of models, before anything is sent: calls, tokens and dollars by stage.

Summaries and attributes: the very requests that the engine would send, of every item or of an even part of them, less
what is kept from before. Vectors, categories and findings: by rule, from how many items there are. The answers' lengths
are expected ones; `worst` is what it costs if each answer is as long as it may be.
"""

import asyncio
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from shared.asking import placed_key
from shared.bill import Bill, Line
from shared.budget import NAMING_SHARE
from shared.context import Loaded, load
from shared.frozen import FrozenJob
from shared.llm import Prices, Request, Usage, cost
from shared.llm.dialect import THOUGHTS, THOUGHTS_EXPECTED, Dialect
from shared.models import Item, Stage
from shared.store import Store

LOOKED_AT = 400  # items whose requests are made
PAGE = 50
THINKING = "thoughts"
ITEM_STAGES = (Stage.SUMMARIES, Stage.ATTRIBUTES, Stage.VECTORS)


@dataclass(frozen=True, slots=True)
class Call:
    """One question that the engine would put; `output`: tokens of a likely answer."""

    stage: Stage
    request: Request
    output: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What an item needs: the stage and model of each answer that may be kept, by key; and, given which of the keys
    are kept, the calls that remain."""

    keys: dict[str, tuple[Stage, str]]
    calls: Callable[[AbstractSet[str]], Sequence[Call]]


Plan = Callable[[Loaded, FrozenJob], Planned]
LaterOf = Callable[[int], Sequence["Later"]]  # of so many items


@dataclass(frozen=True, slots=True)
class Later:
    """Calls of one stage that come after the items', by rule."""

    stage: Stage
    model: str
    calls: int
    input: int
    output: int
    most_output: int


@dataclass
class _Sum:
    """Of one stage and model, over the items that were looked at."""

    calls: int = 0
    kept: int = 0
    input: int = 0
    output: int = 0
    most_output: int = 0

    def times(self, share: float) -> "_Sum":
        numbers = (self.calls, self.kept, self.input, self.output, self.most_output)
        return _Sum(*(math.ceil(number * share - 1e-9) for number in numbers))


@dataclass(frozen=True, slots=True)
class Estimate:
    """`bill` has a line for each stage and model, and one for the thoughts of models that have them.

    items: that the job will have. looked_at: of how many the requests were made.
    each: dollars of one item's own stages; after: of what comes after so many items; worst: of all. None: a price is
    unknown.
    """

    bill: Bill
    items: int
    looked_at: int
    each: float | None
    after: Callable[[int], float | None]
    worst: float | None

    @property
    def cost(self) -> float | None:
        return self.bill.cost

    @property
    def needed(self) -> float | None:
        """The smallest budget that does not end the work."""
        return self._needed(self.items)

    @property
    def kept(self) -> bool:
        """Whether every summary and attribute is there: what is made of them may be, too, which nobody can tell."""
        lines = [line for line in self.bill.lines if line.stage in (Stage.SUMMARIES, Stage.ATTRIBUTES)]
        return any(line.kept for line in lines) and not any(line.calls for line in lines)

    def fitting(self, budget: float) -> int | None:
        """How many items the budget pays; None: all of them, or a price is unknown."""
        if self.needed is None or self.needed <= budget:
            return None
        return bisect_right(range(1, self.items + 1), budget, key=lambda count: self._needed(count) or 0.0)

    def _needed(self, items: int) -> float | None:
        """Of a sample of so many: the items' stages leave a part of the budget to the others."""
        after = self.after(items)
        if self.each is None or after is None:
            return None
        return max(self.each * items + after, self.each * items / (1 - NAMING_SHARE))


@dataclass
class _Tally:
    """Sums by stage and model, in the order of the stages."""

    sums: dict[tuple[Stage, str], _Sum] = field(default_factory=dict)

    def of(self, stage: Stage, model: str) -> _Sum:
        return self.sums.setdefault((stage, model), _Sum())

    def add(self, planned: Planned, kept: AbstractSet[str]) -> None:
        for key, (stage, model) in planned.keys.items():
            self.of(stage, model).kept += key in kept
        for call in planned.calls(kept):
            into = self.of(call.stage, call.request.model)
            into.calls += 1
            into.input += call.request.estimated_input()
            into.output += call.output
            into.most_output += call.request.max_output_tokens

    def times(self, share: float) -> "_Tally":
        return _Tally({key: one.times(share) for key, one in self.sums.items()})

    def later(self, stages: Iterable[Later]) -> None:
        for one in stages:
            into = self.of(one.stage, one.model)
            into.calls += one.calls
            into.input += one.input
            into.output += one.output
            into.most_output += one.most_output


async def estimate(
    store: Store,
    frozen: FrozenJob,
    items: Sequence[Item],
    plan: Plan,
    later: LaterOf,
    prices: Prices,
    place: str,
) -> Estimate:
    """Of a job whose sample is `items`, at the endpoint of this `place` (see `Endpoint`); asks nothing.

    Costs about a millisecond for each item that is looked at.
    """
    looked_at = evenly(items, LOOKED_AT)
    tally, shelf = _Tally(), frozen.job.answers_in or frozen.job.workspace_id
    for start in range(0, len(looked_at), PAGE):
        for loaded in await load(store, looked_at[start : start + PAGE], frozen.prompt):
            planned = await asyncio.to_thread(plan, loaded, frozen)
            placed = {placed_key(key, place): key for key in planned.keys}
            kept = await store.answers(shelf, list(placed)) if placed else {}
            await asyncio.to_thread(tally.add, planned, {placed[key] for key in kept})
    whole = tally.times(len(items) / max(len(looked_at), 1))
    whole.later(later(len(items)))
    return _priced(whole, later, prices, len(items), len(looked_at))


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of them, at even distances: ids may be in the order of time."""
    step = max(1.0, len(items) / most)
    return [items[int(place * step)] for place in range(min(len(items), most))]


def _priced(tally: _Tally, later: LaterOf, prices: Prices, items: int, looked_at: int) -> Estimate:
    stages = list(Stage)
    asked = [pair for pair in tally.sums.items() if pair[1].calls or pair[1].kept]
    ordered = sorted(asked, key=lambda pair: (stages.index(pair[0][0]), pair[0][1]))
    lines = [_line(stage.value, model, one, prices) for (stage, model), one in ordered]
    thinking = [_line(THINKING, model, one, prices) for model, one in _thoughts(tally).items()]
    own = _added(_dollars(model, one, prices) for (stage, model), one in ordered if stage in ITEM_STAGES)

    def after(count: int) -> float | None:
        stages = [one for one in later(count) if one.stage not in ITEM_STAGES]
        return _added(_dollars(one.model, _Sum(one.calls, 0, one.input, one.output), prices) for one in stages)

    return Estimate(
        Bill((*lines, *thinking)),
        items,
        looked_at,
        each=None if own is None else own / max(items, 1),
        after=after,
        worst=_added(_worst(model, one, prices) for (_, model), one in ordered),
    )


def _line(name: str, model: str, one: _Sum, prices: Prices) -> Line:
    used = Usage(one.input, output=one.output)
    dollars = cost(used, prices.of(model)) if one.calls or one.output else 0.0
    return Line(name, model, one.calls, one.kept, one.input, one.output, dollars, estimated=True)


def _thoughts(tally: _Tally) -> dict[str, _Sum]:
    """By model, for those that think; they are paid as output."""
    found: dict[str, _Sum] = {}
    for (stage, model), one in tally.sums.items():
        if one.calls and stage is not Stage.VECTORS and Dialect(model).reasons:
            found.setdefault(model, _Sum()).output += one.calls * THOUGHTS_EXPECTED
    return found


def _dollars(model: str, one: _Sum, prices: Prices) -> float | None:
    thoughts = one.calls * THOUGHTS_EXPECTED if Dialect(model).reasons else 0
    return cost(Usage(one.input, output=one.output + thoughts), prices.of(model)) if one.calls else 0.0


def _worst(model: str, one: _Sum, prices: Prices) -> float | None:
    thoughts = one.calls * THOUGHTS if Dialect(model).reasons else 0
    return cost(Usage(one.input, output=one.most_output + thoughts), prices.of(model)) if one.calls else 0.0


def _added(dollars: Iterable[float | None]) -> float | None:
    total = 0.0
    for one in dollars:
        if one is None:
            return None
        total += one
    return total
