"""How a job asks a model: what was answered before costs nothing, and what is asked stays within the budget.

Every stage goes this way, and nothing else calls `shared.llm`. Kept answers belong to a workspace, and their keys are
hashes of all that an answer depends on: no answer outlives a changed prompt, model or schema.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np

from shared.errors import BudgetError
from shared.features import Array
from shared.llm import Llm, Prices, Request, Usage, cost
from shared.models import Job, Spending, Stage
from shared.store import Store

VERSION = 1  # of what the code makes of an answer: raised, it asks everything anew
NAMING_SHARE = 0.15  # of a budget, which summaries and attributes leave to what comes after them
LAST_STAGES = (Stage.VECTORS, Stage.CATEGORIES, Stage.FINDINGS)


@dataclass(frozen=True, slots=True)
class Purpose:
    """For which job, and what for."""

    workspace_id: str
    job_id: str
    stage: Stage
    budget: float | None = None  # dollars, of the whole job

    @classmethod
    def of(cls, job: Job, stage: Stage) -> "Purpose":
        return cls(job.workspace_id, job.id, stage, job.config.budget)


class Asker:
    """`llm` and `prices` of the process; may be shared by all jobs."""

    def __init__(self, store: Store, llm: Llm, prices: Prices) -> None:
        self._store, self._llm, self._prices = store, llm, prices

    async def answer(self, purpose: Purpose, request: Request) -> dict[str, Any]:
        """The answer of the request's shape: the kept one of the same request, or a new one, which is kept.

        Raises BudgetError, and what `Llm.ask` raises.
        """
        key = request_key(request)
        known = await self.kept(purpose, [key], request.model)
        if key in known:
            value: dict[str, Any] = known[key]
            return value
        value = await self.ask(purpose, request)
        await self.keep(purpose, {key: value})
        return value

    async def ask(self, purpose: Purpose, request: Request) -> dict[str, Any]:
        """A new answer, which the caller keeps under keys of its own; the bill is written in any case."""
        expected = Usage(input=request.estimated_input(), output=request.max_output_tokens)
        await self._afford(purpose, request.model, expected)
        paid: list[Usage] = []
        try:
            return (await self._llm.ask(request, paid.append)).value
        finally:
            await self._enter(purpose, request.model, paid)

    async def embed(self, purpose: Purpose, texts: Sequence[str], model: str) -> Array:
        """float32 (n, dimensions), unit rows in the order of `texts`; each text is paid once a workspace."""
        keys = [key_of("vector", model, text) for text in texts]
        known = await self.kept(purpose, list(dict.fromkeys(keys)), model)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            await self._afford(purpose, model, Usage(input=sum(len(text) // 3 for text in new.values())))
            paid: list[Usage] = []
            try:
                vectors, _ = await self._llm.embed(list(new.values()), model, paid.append)
            finally:
                await self._enter(purpose, model, paid)
            made = {key: row.astype("<f4").tobytes() for key, row in zip(new, vectors, strict=True)}
            await self.keep(purpose, made)
            known |= made
        return np.array([np.frombuffer(known[key], "<f4") for key in keys], np.float32)

    async def kept(self, purpose: Purpose, keys: Sequence[str], model: str) -> dict[str, Any]:
        """The kept answers by key; each is counted in the bill as one that cost nothing."""
        found = await self._store.answers(purpose.workspace_id, keys)
        if found:
            spending = Spending(stage=purpose.stage, model=model, kept=len(found))
            await self._store.add_spending(purpose.workspace_id, purpose.job_id, spending)
        return {key: msgpack.unpackb(value) for key, value in found.items()}

    async def keep(self, purpose: Purpose, answers: Mapping[str, Any]) -> None:
        """`answers`: JSON values, or bytes, by `key_of` what they depend on."""
        packed = {key: msgpack.packb(value) for key, value in answers.items()}
        await self._store.keep_answers(purpose.workspace_id, purpose.stage, packed)

    async def money(self, workspace_id: str, job_id: str) -> float | None:
        """Dollars that the job has cost; None where a price is unknown."""
        costs = [self.cost(one) for one in await self._store.spending(workspace_id, job_id)]
        known = [one for one in costs if one is not None]
        return sum(known) if len(known) == len(costs) else None

    def cost(self, spending: Spending) -> float | None:
        usage = Usage(spending.input, spending.cached, spending.output)
        return cost(usage, self._prices.of(spending.model)) if spending.calls else 0.0

    async def _afford(self, purpose: Purpose, model: str, expected: Usage) -> None:
        """BudgetError if the call could pass the budget, of which the last stages keep their share."""
        if purpose.budget is None:
            return
        price = self._prices.of(model)
        worst = cost(expected, price)
        spent = await self.money(purpose.workspace_id, purpose.job_id)
        if worst is None or spent is None:
            raise BudgetError(
                f"The price of {model} is unknown, so that a budget cannot be kept: name it in INSIGHTS_PRICES, or "
                "leave out the budget."
            )
        limit = purpose.budget * (1.0 if purpose.stage in LAST_STAGES else 1 - NAMING_SHARE)
        if spent + worst > limit:
            raise BudgetError(f"The budget of ${purpose.budget:,.2f} is used up (${spent:,.4f} spent).")

    async def _enter(self, purpose: Purpose, model: str, paid: Sequence[Usage]) -> None:
        if not paid:
            return
        usage = Usage.total(paid)
        spending = Spending(
            stage=purpose.stage,
            model=model,
            calls=len(paid),
            input=usage.input,
            cached=usage.cached,
            output=usage.output,
            estimated=usage.estimated,
        )
        await self._store.add_spending(purpose.workspace_id, purpose.job_id, spending)


def request_key(request: Request) -> str:
    """Of everything that is sent."""
    messages = [[message.role, message.content] for message in request.messages]
    shape = [request.shape.name, request.shape.schema]
    return key_of("request", request.model, messages, shape, request.max_output_tokens, request.effort, request.seed)


def key_of(*parts: Any) -> str:
    """Hash of JSON values that an answer depends on."""
    text = json.dumps([VERSION, *parts], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
