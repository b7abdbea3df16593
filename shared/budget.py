"""What a job has spent, and what its calls in flight are expected to cost: a budget is passed by those at most.

A call is let through while its prompt fits beside what was spent and what all that is in flight is expected to cost.
One that fits only if those turn out cheaper waits for them; one whose prompt does not fit even then is refused. An
answer is expected to be as long as the job's answers of that stage were on average. Of other processes only what they
have paid is known, so that theirs in flight may come on top.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from shared.errors import BudgetError, JobError
from shared.llm import Prices, Usage, cost
from shared.models import Spending, Stage
from shared.purpose import Purpose
from shared.store import Store
from shared.wording import money

NAMING_SHARE = 0.15  # of a budget, which summaries and attributes leave to what comes after them
LAST_STAGES = (Stage.VECTORS, Stage.CATEGORIES, Stage.FINDINGS)

Admit = Callable[[], Awaitable[None]]


class _Account:
    """Of one job; `pledges` are the dollars that each of its calls in flight is expected to cost."""

    def __init__(self) -> None:
        self.pledges: dict[object, float] = {}
        self.changed = asyncio.Condition()


class Budgets:
    """Of all jobs of a process."""

    def __init__(self, store: Store, prices: Prices) -> None:
        self._store, self._prices = store, prices
        self._accounts: WeakValueDictionary[tuple[str, str], _Account] = WeakValueDictionary()

    @asynccontextmanager
    async def room(self, purpose: Purpose, model: str, likely: Usage) -> AsyncIterator[Admit]:
        """For one call, which is on the job's bill when it leaves. BudgetError; JobError where a price is unknown.

        What it gives makes room for a further attempt, once the bill holds those before it; with the same errors.
        """
        if purpose.budget is None:
            yield _free
            return
        account = self._accounts.setdefault((purpose.workspace_id, purpose.job_id), _Account())
        call = object()

        async def admit() -> None:
            account.pledges.pop(call, None)  # who waits holds nothing that another waits for
            async with account.changed:
                account.pledges[call] = await self._wait(purpose, account, model, likely)
                account.changed.notify()  # one wakes the next: there may be room for both, or for none

        try:
            await admit()
            yield admit
        finally:
            account.pledges.pop(call, None)
            async with account.changed:
                account.changed.notify()

    async def spent(self, workspace_id: str, job_id: str) -> float | None:
        """Dollars that the job has cost; None where a price is unknown."""
        costs = [self.cost(one) for one in await self._store.spending(workspace_id, job_id)]
        known = [one for one in costs if one is not None]
        return sum(known) if len(known) == len(costs) else None

    def cost(self, spending: Spending) -> float | None:
        """Dollars; None where the model's price is unknown."""
        return cost(_usage(spending), self._prices.of(spending.model)) if spending.calls else 0.0

    async def _wait(self, purpose: Purpose, account: _Account, model: str, likely: Usage) -> float:
        """Until there is room; what the call is expected to cost. Holds `changed`. BudgetError: there will be none."""
        budget = purpose.budget or 0.0
        limit = budget if purpose.stage in LAST_STAGES else budget * (1 - NAMING_SHARE)
        prompt = self._dollars(model, Usage(likely.input))
        while True:
            pledged = sum(account.pledges.values())  # read first: who ends meanwhile is counted twice, never left out
            bill = await self._store.spending(purpose.workspace_id, purpose.job_id)
            spent = sum(self._dollars(one.model, _usage(one)) for one in bill if one.calls)
            if spent + prompt > limit:
                raise BudgetError(
                    f"The budget of {money(budget)} pays no further call: raise it, or take a smaller sample."
                )
            if spent + pledged + prompt <= limit:
                return prompt + self._dollars(model, Usage(output=_output(bill, purpose.stage, model, likely.output)))
            await account.changed.wait()

    def _dollars(self, model: str, usage: Usage) -> float:
        dollars = cost(usage, self._prices.of(model))
        if dollars is None:
            raise JobError(
                f"The price of {model} is unknown, so that a budget cannot be kept: name it in INSIGHTS_PRICES, or "
                "leave out the budget."
            )
        return dollars


async def _free() -> None:
    """There is no budget."""


def _usage(spending: Spending) -> Usage:
    return Usage(spending.input, spending.cached, spending.output)


def _output(bill: Sequence[Spending], stage: Stage, model: str, likely: int) -> int:
    """Tokens of an answer: the mean of the job's own of that stage; `likely` until there is one."""
    own = next((one for one in bill if one.calls and (one.stage, one.model) == (stage, model)), None)
    return round(own.output / own.calls) if own else likely
