"""What a reader must know to trust a report."""

from shared.job_config import JobConfig
from shared.models import Job


def notes(job: Job) -> tuple[str, ...]:
    """One sentence each; the engine without a model says what it cannot do of what was asked."""
    return tuple(_local(job.config)) if job.config.engine == "local" else ()


def _local(config: JobConfig) -> list[str]:
    found = [
        "Made without a model: summaries are the traces' own words, and categories are named by the words in which "
        "they differ."
    ]
    if config.summary_prompt:
        found.append("The summary prompt chose which parts of a trace count; its instructions need a model.")
    if config.attribute_schemas:
        found.append(f"Attributes need a model: {', '.join(config.attribute_schemas)} are unknown in every trace.")
    if any(schema.filter_by for schema in config.attribute_schemas.values()):
        found.append("No trace was left out by a filter attribute, since its value is unknown.")
    if config.partitions and config.hierarchy[1] is not None:
        found.append("The categories are the given ones: the number of top categories that was asked for is not used.")
    return found
