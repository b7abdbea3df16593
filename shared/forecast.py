"""What a job would send to a model and take of it, known before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.estimate import Call, Estimate
from shared.models import Item, Job


@dataclass(frozen=True, slots=True)
class Preview:
    """items: that the job will have; first: some of them with what would be asked about each."""

    items: int
    first: Sequence[tuple[Item, Sequence[Call]]]


class Forecast(Protocol):
    """Of a job that need not be stored, whatever its engine, by the code that would ask. Nothing is sent.

    Raises UsageError where no trace is in the job, PromptError where none has what its prompt names.
    """

    async def estimate(self, job: Job) -> Estimate: ...

    async def preview(self, job: Job, most: int) -> Preview: ...
