"""Places become clusters: ids, names that differ, sizes, descriptions, and each item's path."""

from collections.abc import Sequence

from services.categorizer.local import NAME_WORDS, Category, Leaf
from shared.jobs import name_uuid
from shared.models import Assignment, Cluster, Job


def build(job: Job, item_ids: Sequence[str], categories: Sequence[Category]) -> tuple[list[Cluster], list[Assignment]]:
    """Clusters (a category before its subcategories) and where each item lies. Ids follow from job and place."""
    clusters: list[Cluster] = []
    found: list[Assignment] = []
    taken: set[str] = set()
    for at, category in enumerate(categories):
        top = Cluster(
            id=name_uuid(job.id, "1", str(at)),
            level=1,
            name=_differing(category.name, [], taken),
            description=category.description or _about(category.leaves),
            num_runs=sum(len(leaf.members) for leaf in category.leaves),
        )
        clusters.append(top)
        inside = {top.name}
        for place, leaf in enumerate(category.leaves):
            cluster = Cluster(
                id=name_uuid(job.id, "0", str(at), str(place)),
                parent_id=top.id,
                level=0,
                name=_differing(", ".join(leaf.words[:NAME_WORDS]) or "No words", leaf.words[NAME_WORDS:], inside),
                description=_about([leaf]),
                parent_name=top.name,
                num_runs=len(leaf.members),
            )
            clusters.append(cluster)
            found += [
                Assignment(item_ids[member], (cluster.id, top.id), confidence)
                for member, confidence in zip(leaf.members, leaf.confidence, strict=True)
            ]
    return clusters, found


def _differing(name: str, more: Sequence[str], taken: set[str]) -> str:
    """A name that no sibling has: with one more word, else with a number."""
    candidates = [name, *(f"{name}, {word}" for word in more), *(f"{name} ({n})" for n in range(2, 10_000))]
    chosen = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(chosen)
    return chosen


def _about(leaves: Sequence[Leaf]) -> str:
    words = list(dict.fromkeys(word for leaf in leaves for word in leaf.words[:NAME_WORDS]))[:8]
    return f"Traces that say {', '.join(words)} more often than the others." if words else "Traces without words."
