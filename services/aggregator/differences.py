"""In what each category differs clearly from the rest, in words."""

from collections.abc import Sequence
from typing import Any

from services.aggregator.contrasts import Contrast, clear
from services.aggregator.figures import Table
from shared.figure_wording import difference
from shared.models import FEW, Cluster


def differences(clusters: Sequence[Cluster], table: Table) -> dict[str, list[dict[str, Any]]]:
    """By cluster id, the greatest difference first; none where there are too few items for categories."""
    found: dict[str, list[dict[str, Any]]] = {one.id: [] for one in clusters}
    if table.size < FEW:
        return found
    for level in {one.level for one in clusters}:
        contrasts = {one.id: table.contrasts(one.id) for one in clusters if one.level == level}
        for cluster_id, told in clear(contrasts).items():
            found[cluster_id] = [_told(one) for one in told]
    return found


def _told(one: Contrast) -> dict[str, Any]:
    """`effect`: Cohen's h of shares, d of numbers; positive where the category has more than the rest."""
    return {
        "of": one.of,
        "name": one.name,
        "value": one.value,
        "kind": one.kind,
        "here": one.here,
        "rest": one.rest,
        "effect": round(one.effect, 3),
        "text": difference(one.of, one.name, one.value, one.kind, one.here, one.rest),
    }
