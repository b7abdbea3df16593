"""What a job has spent, and what its calls in flight may yet cost: a budget is not passed by this process.

A call is let through when its worst case fits beside what was spent and the worst of all that is in flight. One that
fits only if those turn out cheaper, as most do, waits for them; one that does not fit even then is refused. Of other
processes only what they have paid is known, so that theirs in flight may come on top.
"""

import asyncio
from collections.abc import AsyncIterator
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


class _Account:
    """Of one job; `pledges` are the dollars that each of its calls in flight costs at most."""

    def __init__(self) -> None:
        self.pledges: list[float] = []
        self.changed = asyncio.Condition()


class Budgets:
    """Of all jobs of a process."""

    def __init__(self, store: Store, prices: Prices) -> None:
        self._store, self._prices = store, prices
        self._accounts: WeakValueDictionary[tuple[str, str], _Account] = WeakValueDictionary()

    @asynccontextmanager
    async def room(self, purpose: Purpose, model: str, most: Usage) -> AsyncIterator[None]:
        """For one call, which is on the job's bill when it leaves. BudgetError; JobError where a price is unknown."""
        if purpose.budget is None:
            yield
            return
        account = self._accounts.setdefault((purpose.workspace_id, purpose.job_id), _Account())
        worst = self._dollars(model, most)
        async with account.changed:
            try:
                await self._wait(purpose, account, worst)
                account.pledges.append(worst)
            finally:
                account.changed.notify()  # one wakes the next: there may be room for both, or for none
        try:
            yield
        finally:
            account.pledges.remove(worst)
            async with account.changed:
                account.changed.notify()

    async def spent(self, workspace_id: str, job_id: str) -> float | None:
        """Dollars that the job has cost; None where a price is unknown."""
        costs = [self.cost(one) for one in await self._store.spending(workspace_id, job_id)]
        known = [one for one in costs if one is not None]
        return sum(known) if len(known) == len(costs) else None

    def cost(self, spending: Spending) -> float | None:
        """Dollars; None where the model's price is unknown."""
        usage = Usage(spending.input, spending.cached, spending.output)
        return cost(usage, self._prices.of(spending.model)) if spending.calls else 0.0

    async def _wait(self, purpose: Purpose, account: _Account, worst: float) -> None:
        """Until there is room for `worst`; holds `changed`. BudgetError: there will be none."""
        budget = purpose.budget or 0.0
        limit = budget if purpose.stage in LAST_STAGES else budget * (1 - NAMING_SHARE)
        while True:
            pledged = sum(account.pledges)  # read first: a call that ends meanwhile is counted twice, never left out
            spent = await self._paid(purpose)
            if spent + worst > limit:
                raise BudgetError(
                    f"The budget of {money(budget)} pays no further call: raise it, or take a smaller sample."
                )
            if spent + pledged + worst <= limit:
                return
            await account.changed.wait()

    async def _paid(self, purpose: Purpose) -> float:
        bill = await self._store.spending(purpose.workspace_id, purpose.job_id)
        return sum(self._dollars(one.model, Usage(one.input, one.cached, one.output)) for one in bill if one.calls)

    def _dollars(self, model: str, usage: Usage) -> float:
        dollars = cost(usage, self._prices.of(model))
        if dollars is None:
            raise JobError(
                f"The price of {model} is unknown, so that a budget cannot be kept: name it in INSIGHTS_PRICES, or "
                "leave out the budget."
            )
        return dollars
