"""Is there a model to ask? Said before anything starts."""

from insights.process import endpoint
from shared.config import Settings
from shared.errors import UsageError
from shared.job_config import JobConfig


def require_endpoint(config: JobConfig, settings: Settings, base_url: str | None) -> None:
    """UsageError if the job asks a model and nobody said where one is. Services on Kafka know it by themselves."""
    if config.engine != "model":
        if base_url is not None:
            raise UsageError("--base-url names a model, and the engine is local: add --engine model, or leave it out.")
        return
    if settings.bus != "local":
        if base_url is not None:
            raise UsageError("--base-url is of this process, and services on Kafka ask: set OPENAI_BASE_URL for them.")
        return
    where = endpoint(settings, base_url)
    if where.base_url is None and not where.secret and not where.headers:
        raise UsageError(
            "The engine `model` needs a model: set OPENAI_API_KEY, name an endpoint such as "
            "--base-url http://localhost:11434/v1, or leave out --engine model."
        )
