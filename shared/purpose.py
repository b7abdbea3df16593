"""What a model is asked for."""

from dataclasses import dataclass

from shared.models import Job, Stage


@dataclass(frozen=True, slots=True)
class Purpose:
    """For which job, and for what of it. `answers_in`: the workspace that its kept answers are shared in."""

    workspace_id: str
    job_id: str
    stage: Stage
    budget: float | None = None  # dollars, of the whole job
    answers_in: str | None = None
    base_url: str | None = None  # of the models, where the job names its own

    @classmethod
    def of(cls, job: Job, stage: Stage) -> "Purpose":
        return cls(job.workspace_id, job.id, stage, job.config.budget, job.answers_in, job.config.base_url)

    @property
    def shelf(self) -> str:
        """The workspace whose kept answers it reads and adds to."""
        return self.answers_in or self.workspace_id
