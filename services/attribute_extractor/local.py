"""Attributes without a model: each is null, since nothing here can know it; the report says so."""

from typing import Any

from shared.models import Item, Job


def extract(job: Job, item: Item) -> dict[str, Any]:
    """Attribute name → value for every attribute of the job."""
    return dict.fromkeys(job.config.attribute_schemas)
