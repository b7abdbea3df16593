"""What the engine found becomes clusters: ids, names that differ, sizes, and each item's path."""

from collections.abc import Sequence

from services.categorizer.found import Found
from shared.jobs import name_uuid
from shared.models import Assignment, Cluster, Job


def build(job: Job, item_ids: Sequence[str], found: Found) -> tuple[list[Cluster], list[Assignment]]:
    """Clusters (a category before its subcategories) and where each item lies. Ids follow from job and place.

    Items get their places in the order of the clusters, so that those of any cluster are next to each other
    (`shared.report.places_of`).
    """
    clusters: list[Cluster] = []
    assignments: list[Assignment] = []
    unusual = set(found.unusual)
    taken: set[str] = set()
    for at, category in enumerate(found.categories):
        top = Cluster(
            id=name_uuid(job.id, "1", str(at)),
            level=1,
            name=_differing(category.name, taken),
            description=category.description,
            num_runs=sum(len(leaf.members) for leaf in category.leaves),
        )
        clusters.append(top)
        inside: set[str] = set()
        for place, leaf in enumerate(category.leaves):
            cluster = Cluster(
                id=name_uuid(job.id, "0", str(at), str(place)),
                parent_id=top.id,
                level=0,
                name=_differing(leaf.name, inside),
                description=leaf.description,
                parent_name=top.name,
                num_runs=len(leaf.members),
            )
            clusters.append(cluster)
            assignments += [
                Assignment(item_ids[member], (cluster.id, top.id), sure, member in unusual, found.effort[member], at)
                for at, (member, sure) in enumerate(zip(leaf.members, leaf.confidence, strict=True), len(assignments))
            ]
    return clusters, assignments


def _differing(name: str, taken: set[str]) -> str:
    """A name that no sibling has; with a number where the engine found no better."""
    candidates = [name, *(f"{name} ({n})" for n in range(2, len(taken) + 2))]
    chosen = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(chosen)
    return chosen
