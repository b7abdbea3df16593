"""The engines as the service calls them: what one needs is imported in the worker process alone.

Clustering and naming take libraries that the process of the service would hold for ever.
"""

from services.categorizer.draft import Draft, Labels, Surroundings
from services.categorizer.found import Found
from services.categorizer.sample import Sample
from shared.job_config import JobConfig

HEAVY = "services.categorizer.looking"  # what the worker process has ready


def local(sample: Sample, config: JobConfig) -> Found:
    from services.categorizer.local import categorize

    return categorize(sample, config)


def look(sample: Sample, config: JobConfig, place: Labels | None = None) -> Draft:
    from services.categorizer.looking import look

    return look(sample, config, place)


def surroundings(sample: Sample, config: JobConfig) -> Surroundings:
    from services.categorizer.looking import surroundings

    return surroundings(sample, config)
