"""The figures of one item, from its runs: exact, and unknown where no run says."""

from collections.abc import Callable, Sequence
from math import fsum
from operator import attrgetter

from shared.models import Facts, Item, Run
from shared.store import Store

Figure = Callable[[Run], float | None]
USAGE: tuple[Figure, Figure, Figure, Figure] = (
    attrgetter("prompt_tokens"),
    attrgetter("completion_tokens"),
    attrgetter("total_tokens"),
    attrgetter("total_cost"),
)


async def load_facts(store: Store, item: Item) -> Facts:
    """Facts of the item's root runs; what a root lacks of tokens and cost is the sum over its trace's model calls."""
    found = await store.runs(item.workspace_id, item.run_ids)
    roots = [found[run_id] for run_id in item.run_ids if run_id in found]
    calls: list[Run] = []
    if any(figure(root) is None for root in roots for figure in USAGE):
        spans = await store.trace_runs(item.workspace_id, {root.trace_id for root in roots})
        calls = _outer([run for run in spans if run.run_type == "llm" and run.parent_run_id is not None])
    return Facts(
        error=_failed(roots),
        latency=_sum([root.latency for root in roots]),
        prompt_tokens=_whole(_usage(roots, calls, USAGE[0])),
        completion_tokens=_whole(_usage(roots, calls, USAGE[1])),
        total_tokens=_whole(_usage(roots, calls, USAGE[2])),
        total_cost=_usage(roots, calls, USAGE[3]),
        feedback=_feedback(roots),
    )


def _failed(roots: Sequence[Run]) -> bool | None:
    """Whether one of the traces ended in an error; unknown where none is known to have and one is not known."""
    if any(root.status == "error" for root in roots):
        return True
    return False if roots and all(root.status for root in roots) else None


def _outer(calls: Sequence[Run]) -> list[Run]:
    """Without those that lie right inside another: their usage is in it."""
    ids = {run.id for run in calls}
    return [run for run in calls if run.parent_run_id not in ids]


def _usage(roots: Sequence[Run], calls: Sequence[Run], figure: Figure) -> float | None:
    """A root's own figure counts for its whole trace: a parent often repeats its child's usage."""
    found: list[float | None] = []
    for root in roots:
        own = figure(root)
        of_calls = [known for run in calls if run.trace_id == root.trace_id and (known := figure(run)) is not None]
        found.append(own if own is not None else fsum(of_calls) if of_calls else None)
    return _sum(found)


def _sum(figures: Sequence[float | None]) -> float | None:
    """Unknown if one of them is: a part of a sum would look like the whole."""
    known = [figure for figure in figures if figure is not None]
    return fsum(known) if known and len(known) == len(figures) else None


def _whole(figure: float | None) -> int | None:
    return None if figure is None else int(figure)


def _feedback(roots: Sequence[Run]) -> dict[str, float]:
    """The mean score by key over the item's traces that have one."""
    scores: dict[str, list[float]] = {}
    for root in roots:
        for key, found in root.feedback.items():
            if found.avg is not None:
                scores.setdefault(key, []).append(found.avg)
    return {key: fsum(values) / len(values) for key, values in sorted(scores.items())}
