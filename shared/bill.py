"""What a job took of models, by stage: what was paid, and what was kept from other jobs and cost nothing."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from shared.models import Spending, Stage
from shared.wording import counted, money


@dataclass(frozen=True, slots=True)
class Line:
    """What one stage took of one model. `cost` in dollars; None where nobody knows the price."""

    stage: str
    model: str
    calls: int
    kept: int
    input: int
    output: int
    cost: float | None
    cached: int = 0
    estimated: bool = False
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """Nothing was asked where it has no lines."""

    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, spending: Iterable[Spending], cost: Callable[[Spending], float | None]) -> "Bill":
        """In the order in which the stages come."""
        stages = list(Stage)
        ordered = sorted(spending, key=lambda one: (stages.index(one.stage), one.model))
        return cls(tuple(_line(one, cost(one)) for one in ordered))

    @property
    def cost(self) -> float | None:
        """None where a part of it is unknown."""
        costs = [line.cost for line in self.lines]
        known = [one for one in costs if one is not None]
        return sum(known, 0.0) if len(known) == len(costs) else None

    @property
    def total(self) -> Line:
        def summed(name: str) -> int:
            return sum(getattr(line, name) for line in self.lines)

        return Line(
            "together",
            "",
            calls=summed("calls"),
            kept=summed("kept"),
            input=summed("input"),
            output=summed("output"),
            cached=summed("cached"),
            cost=self.cost,
            estimated=any(line.estimated for line in self.lines),
            cut=summed("cut"),
        )

    @property
    def unpriced(self) -> list[str]:
        """Models that were paid at a price which is not known."""
        return sorted({line.model for line in self.lines if line.cost is None})

    def note(self, stage: Stage) -> str:
        """`12 calls, $0.034` of a stage; empty where it asked nothing."""
        lines = [line for line in self.lines if line.stage == stage and line.calls]
        dollars = Bill(tuple(lines)).cost
        price = "" if dollars is None else f", {money(dollars)}"
        return counted(sum(line.calls for line in lines), "call") + price if lines else ""

    def document(self) -> dict[str, Any]:
        """For a program: tokens as they were counted, dollars or null."""
        return {"spending": [asdict(line) for line in self.lines], "cost": self.cost}


NO_BILL = Bill()


def _line(spending: Spending, cost: float | None) -> Line:
    return Line(
        spending.stage.value,
        spending.model,
        calls=spending.calls,
        kept=spending.kept,
        input=spending.input,
        output=spending.output,
        cached=spending.cached,
        cost=cost,
        estimated=spending.estimated,
        cut=spending.cut,
    )
