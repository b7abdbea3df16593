"""The figures of one item, from its runs: exact, and unknown where no run says."""

from collections.abc import Callable, Sequence
from math import fsum

from shared.models import Facts, Item, Run
from shared.store import Store


async def load_facts(store: Store, item: Item) -> Facts:
    """Facts of the item's root runs; what a root lacks of tokens and cost is the sum over its trace's model calls."""
    found = await store.runs(item.workspace_id, item.run_ids)
    roots = [found[run_id] for run_id in item.run_ids if run_id in found]
    calls: list[Run] = []
    if any(root.total_tokens is None or root.total_cost is None for root in roots):
        spans = await store.trace_runs(item.workspace_id, {root.trace_id for root in roots})
        calls = [run for run in spans if run.run_type == "llm" and run.parent_run_id is not None]
    return Facts(
        error=any(root.status == "error" for root in roots) if roots else None,
        latency=_sum([root.latency for root in roots]),
        prompt_tokens=_whole(_tokens(roots, calls, lambda run: run.prompt_tokens)),
        completion_tokens=_whole(_tokens(roots, calls, lambda run: run.completion_tokens)),
        total_tokens=_whole(_tokens(roots, calls, lambda run: run.total_tokens)),
        total_cost=_tokens(roots, calls, lambda run: run.total_cost),
        feedback=_feedback(roots),
    )


def _tokens(roots: Sequence[Run], calls: Sequence[Run], figure: Callable[[Run], float | None]) -> float | None:
    """A root's own figure counts for its whole trace: a parent often repeats its child's usage."""
    known: list[float | None] = []
    for root in roots:
        own = figure(root)
        known.append(own if own is not None else _sum([figure(run) for run in calls if run.trace_id == root.trace_id]))
    return _sum(known)


def _sum(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return fsum(known) if known else None


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
