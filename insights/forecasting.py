"""The estimate and the prompts of a job for the gateway: it may not import the services whose prompts these are."""

from functools import partial

from insights.drawn import drawn
from insights.expected_calls import planned
from insights.expected_later import later
from shared.context import load
from shared.estimate import Estimate, estimate
from shared.forecast import Preview
from shared.llm import Prices
from shared.models import Job
from shared.store import Store


class Forecaster:
    """See `shared.forecast.Forecast`. `place`: of the endpoint, to which kept answers belong."""

    def __init__(self, store: Store, prices: Prices, place: str) -> None:
        self._store, self._prices, self._place = store, prices, place

    async def estimate(self, job: Job) -> Estimate:
        sample = await drawn(self._store, job)
        stages = partial(later, job.config)
        return await estimate(self._store, sample.frozen, sample.items, planned, stages, self._prices, self._place)

    async def preview(self, job: Job, most: int) -> Preview:
        sample = await drawn(self._store, job)
        first = await load(self._store, sample.items[:most], sample.frozen.prompt)
        asked = [(one.item, planned(one, sample.frozen).calls(frozenset())) for one in first]
        return Preview(len(sample.items), asked)
