"""What a model is asked for."""

from dataclasses import dataclass

from shared.models import Job, Stage


@dataclass(frozen=True, slots=True)
class Purpose:
    """For which job, and for what of it."""

    workspace_id: str
    job_id: str
    stage: Stage
    budget: float | None = None  # dollars, of the whole job

    @classmethod
    def of(cls, job: Job, stage: Stage) -> "Purpose":
        return cls(job.workspace_id, job.id, stage, job.config.budget)
