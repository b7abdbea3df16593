"""The half of a running job that never changes, read from the store once a process."""

from collections import OrderedDict
from dataclasses import dataclass

from shared.errors import InvalidEventError
from shared.models import Job, Plan
from shared.prompts import DEFAULT, Prompt, parse
from shared.store import Store
from shared.summary_prompts import template

KEPT = 32  # jobs


def prompt_of(job: Job) -> Prompt:
    return parse(template(job.config.summary_prompt or DEFAULT))


@dataclass(frozen=True, slots=True)
class FrozenJob:
    """Of `job` only what `new_job` set may be read here: its state and counts are those of some earlier time."""

    job: Job
    plan: Plan
    prompt: Prompt


class FrozenJobs:
    """The last jobs that this process worked on, by workspace and job."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[tuple[str, str], FrozenJob] = OrderedDict()

    async def get(self, workspace_id: str, job_id: str) -> FrozenJob:
        """Raises InvalidEventError if the store has no such prepared job."""
        key = (workspace_id, job_id)
        if key not in self._known:
            job, plan = await self._store.job(*key), await self._store.plan(*key)
            if job is None or plan is None:
                raise InvalidEventError(f"There is no prepared job {job_id}: was it deleted?")
            self._known[key] = FrozenJob(job, plan, prompt_of(job))
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]
