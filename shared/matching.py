"""Runs that filters let through: the store gives what its indexes know, the filters' predicates decide.

Bodies are read for those runs alone whose match depends on them, traces for those that `filter` lets through.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.bodies import unpack
from shared.errors import ItemError, UsageError
from shared.filters import Filter, parse
from shared.filters.narrowing import narrowed
from shared.models import BodyPart, Run
from shared.store import Store
from shared.store.documents import slices
from shared.store.queries import Place, Wanted, place_of

LONGEST = 1_000  # runs that are looked at together
TREES = 20  # traces whose runs are held together
BODIES = 50  # runs whose bodies are held together
ENOUGH = 10_000  # runs: a page with anything in it goes no further
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Criteria:
    """`trace_filter` must hold of the root of the run's trace, `tree_filter` of any run of that trace."""

    filter: Filter | None = None
    trace_filter: Filter | None = None
    tree_filter: Filter | None = None

    @classmethod
    def read(
        cls, filter: str | None = None, trace_filter: str | None = None, tree_filter: str | None = None
    ) -> "Criteria":
        """Raises FilterError. An empty text is no filter."""
        given = (filter, trace_filter, tree_filter)
        return cls(*(parse(text) if text and text.strip() else None for text in given))

    @property
    def is_costly(self) -> bool:
        """Whether more may be read of a run than its own document."""
        return bool(self.trace_filter or self.tree_filter or (self.filter and self.filter.parts))

    def narrow(self, wanted: Wanted) -> tuple[Wanted, bool]:
        """What the store is asked for, and whether nothing but that matches."""
        if self.filter is None:
            return wanted, not (self.trace_filter or self.tree_filter)
        found, exact = narrowed(wanted, self.filter.root)
        return found, exact and not (self.trace_filter or self.tree_filter)

    async def select(self, store: Store, workspace_id: str, runs: Sequence[Run]) -> list[Run]:
        """Those of the runs that match, in their order."""
        found = list(runs) if self.filter is None else await _decided(store, workspace_id, self.filter, runs)
        if self.trace_filter and found:
            tops = await _roots(store, workspace_id, {run.trace_id for run in found})
            found = _of_traces(found, await _decided(store, workspace_id, self.trace_filter, tops))
        if self.tree_filter and found:
            found = await _in_trees(store, workspace_id, self.tree_filter, found)
        return found


async def _roots(store: Store, workspace_id: str, traces: set[str]) -> list[Run]:
    """The roots of these traces. One that came over OTLP does not have its trace's id."""
    named = await store.runs(workspace_id, traces)
    others = await store.trace_runs(workspace_id, traces - named.keys()) if len(named) < len(traces) else []
    return [run for run in (*named.values(), *others) if run.parent_run_id is None]


async def _in_trees(store: Store, workspace_id: str, filter: Filter, runs: Sequence[Run]) -> list[Run]:
    """Those in whose trace any run matches."""
    matching: list[Run] = []
    for some in slices(sorted({run.trace_id for run in runs}), TREES):
        matching += await _decided(store, workspace_id, filter, await store.trace_runs(workspace_id, some))
    return _of_traces(runs, matching)


async def _decided(store: Store, workspace_id: str, filter: Filter, runs: Sequence[Run]) -> list[Run]:
    known = {run.id: filter.matches(run) for run in runs}
    unsure = [run for run in runs if known[run.id] is None]
    for some in slices(unsure, BODIES):
        bodies = await store.bodies(workspace_id, [run.id for run in some], filter.parts)
        known |= await asyncio.to_thread(_looked_into, filter, some, bodies)
    return [run for run in runs if known[run.id]]


def _looked_into(
    filter: Filter, runs: Iterable[Run], bodies: Mapping[str, Mapping[BodyPart, bytes]]
) -> dict[str, bool | None]:
    return {run.id: filter.matches(run, _unpacked(bodies.get(run.id, {}))) for run in runs}


def _unpacked(parts: Mapping[BodyPart, bytes]) -> dict[BodyPart, Any]:
    try:
        return {part: unpack(body) for part, body in parts.items()}
    except ItemError:  # a damaged body says nothing; whoever reads the run hears of it
        return {}


def _of_traces(runs: Iterable[Run], matching: Iterable[Run]) -> list[Run]:
    traces = {run.trace_id for run in matching}
    return [run for run in runs if run.trace_id in traces]


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is where the next page begins; None after the last."""

    runs: list[Run]
    next: Place | None


async def find_page(
    store: Store,
    wanted: Collection[Wanted],
    criteria: Criteria,
    *,
    after: Place | None = None,
    newest_first: bool = True,
    limit: int = 100,
) -> Page:
    """At most `limit` runs of all `wanted`, in the order of (time, id).

    Where few runs match, a page that has one may be shorter, with more to come. UsageError where MOST runs were looked
    at in vain.
    """
    narrow = [criteria.narrow(one)[0] for one in wanted]
    found: list[Run] = []
    looked, size = 0, limit + 1
    while True:
        some = await _next(store, narrow, after, newest_first, size)
        for run in await criteria.select(store, some[0].workspace_id if some else "", some):
            found.append(run)
            if len(found) == limit:
                more = run.id != some[-1].id or len(some) == size
                return Page(found, place_of(run) if more else None)
        if len(some) < size:
            return Page(found, None)
        after, looked = place_of(some[-1]), looked + len(some)
        if found and looked >= ENOUGH:
            return Page(found, after)
        if looked >= MOST:
            raise UsageError(f"No match among {looked:,} runs: give a shorter time, or a filter on status, name or id.")
        size = max(size, min(LONGEST // len(narrow), size * 4))


async def _next(
    store: Store, wanted: Sequence[Wanted], after: Place | None, newest_first: bool, size: int
) -> list[Run]:
    """The next `size` runs of all; fewer where there are no more."""
    runs: list[Run] = []
    for one in wanted:
        runs += await store.find_runs(one, after=after, newest_first=newest_first, limit=size)
    return sorted(runs, key=place_of, reverse=newest_first)[:size]


@dataclass(frozen=True, slots=True)
class Count:
    """How many match; where not all were looked at, at least so many among `looked_at`."""

    matching: int
    looked_at: int | None = None


async def count_matching(
    store: Store,
    wanted: Wanted,
    criteria: Criteria,
    *,
    seconds: float = 0.3,
    clock: Callable[[], float] = time.monotonic,
) -> Count:
    """Exact where the indexes know all that is asked; else as far as `seconds` reach, newest runs first."""
    ends = clock() + seconds
    narrow, exact = criteria.narrow(wanted)
    if exact:
        return Count(await store.count_runs(narrow))
    matching = looked = 0
    after: Place | None = None
    size = BODIES if criteria.is_costly else LONGEST // 2
    while True:
        some = await store.find_runs(narrow, after=after, limit=size)
        matching += len(await criteria.select(store, wanted.workspace_id, some))
        looked += len(some)
        if len(some) < size:
            return Count(matching)
        if clock() >= ends:
            return Count(matching, looked)
        after = place_of(some[-1])
