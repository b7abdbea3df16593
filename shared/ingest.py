"""From records to the store, in batches: what `insights analyze`, `import` and the gateway's POST /runs/batch share.

A `run` record replaces what is stored. A `post` and a `patch` of one id become one run in whatever order they come: a
patch overwrites, a post fills in what is still unknown; nothing that is null or empty overwrites anything. Of writers
at once none loses what another wrote: a run that has changed since it was looked at is looked at and merged again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeGuard
from uuid import UUID

from shared.bodies import Body
from shared.feedback_stats import count_waiting
from shared.llm.prices import Prices
from shared.models import BodyPart, Run, StoredRun
from shared.store import Store
from shared.traces.document import PARTS, READ, document, fields_of, packed
from shared.traces.record import RawRun

BATCH_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many different runs, how many of them roots (traces), and records that came again (the last one wins).

    `orphans` are runs whose trace's root did not come with them.
    """

    runs: int
    traces: int
    duplicates: int
    orphans: int = 0


@dataclass(frozen=True, slots=True)
class _Target:
    workspace_id: str
    project_id: str
    received_at: int
    prices: Prices | None


@dataclass(slots=True)
class _Made:
    """The runs of a batch: those that replace what is stored, those that are merged with it, and those whose trace is
    not told.
    """

    whole: list[StoredRun] = field(default_factory=list)
    merged: list[StoredRun] = field(default_factory=list)
    untold: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Tally:
    """Holds every id of a call as 16 bytes: all that grows with the number of runs, by about 150 bytes each.

    `below` has for each trace how many of its runs have a parent.
    """

    seen: set[bytes] = field(default_factory=set)
    roots: set[bytes] = field(default_factory=set)
    below: Counter[bytes] = field(default_factory=Counter)
    duplicates: int = 0

    @property
    def orphans(self) -> int:
        return sum(count for trace, count in self.below.items() if trace not in self.roots)

    def add(self, records: Iterable[RawRun], made: Sequence[StoredRun]) -> None:
        children = (each.run for each in made if each.run.parent_run_id)
        self.below.update(_key(run.trace_id) for run in children if _key(run.id) not in self.seen)
        for record in records:
            key = _key(record.id)
            self.duplicates += record.operation == "run" and key in self.seen
            self.seen.add(key)
        for each in made:
            (self.roots.discard if each.run.parent_run_id else self.roots.add)(_key(each.run.id))


async def ingest(
    store: Store,
    workspace_id: str,
    project_id: str,
    runs: Iterable[RawRun],
    *,
    received_at: int,
    prices: Prices | None = None,
    batch: int = 500,
    progress: Callable[[int], None] | None = None,
) -> Ingested:
    """Save every run. `progress` hears how many different ones there are so far. Reading and packing run in a thread.

    A record that names no project is of `project_id`. With `prices`, what a call of a model cost is worked out where
    its client does not say. A run that tells neither trace nor dotted_order belongs to its parent's trace, if the
    parent comes no later than in the same batch; else to a trace of the parent's id.
    """
    target = _Target(workspace_id, project_id, received_at, prices)
    tally = _Tally()
    records = iter(runs)
    while taken := await asyncio.to_thread(_take, records, batch):
        tally.add(taken, await _save(store, taken, target))
        if progress is not None:
            progress(len(tally.seen))
    return Ingested(len(tally.seen), len(tally.roots), tally.duplicates, tally.orphans)


async def _save(store: Store, records: Sequence[RawRun], target: _Target) -> list[StoredRun]:
    """Every record merged and saved; again those of runs that another writer has changed meanwhile."""
    saved: list[StoredRun] = []
    while records:
        before = await _stored(store, target.workspace_id, records)
        made = await asyncio.to_thread(_make, records, before, target)
        if made.untold:
            made = await _with_traces(store, target.workspace_id, made)
        if made.whole:
            await store.save_runs(made.whole)
        changed = await store.merge_runs(made.merged) if made.merged else set()
        now_saved = [each for each in (*made.whole, *made.merged) if each.run.id not in changed]
        await count_waiting(store, target.workspace_id, [each.run.id for each in now_saved])
        saved += now_saved
        records = [record for record in records if record.id in changed]
    return saved


def _key(run_id: str) -> bytes:
    return UUID(run_id).bytes


def _take(records: Iterator[RawRun], count: int) -> list[RawRun]:
    """The next records: `count`, or fewer where their lines are long."""
    taken: list[RawRun] = []
    size = 0
    for record in islice(records, count):
        taken.append(record)
        size += record.size
        if size > BATCH_BYTES:
            break
    return taken


async def _stored(store: Store, workspace_id: str, records: Iterable[RawRun]) -> dict[str, StoredRun]:
    """What posts and patches are to be merged with: of its bodies those that count, or that come again."""
    wanted: dict[str, set[BodyPart]] = {}
    for record in records:
        if record.operation != "run":
            wanted.setdefault(record.id, set(READ)).update(part for part in PARTS if part in record.fields)
    return await store.stored_runs(workspace_id, wanted) if wanted else {}


def _make(records: Iterable[RawRun], before: Mapping[str, StoredRun], target: _Target) -> _Made:
    """The documents, one an id."""
    by_id: dict[str, list[RawRun]] = {}
    for record in records:
        by_id.setdefault(record.id, []).append(record)
    made = _Made()
    for run_id, same in by_id.items():
        latest = max((place for place, record in enumerate(same) if record.operation == "run"), default=None)
        stored = before.get(run_id) if latest is None else None
        fields = _merged(same[latest or 0 :], stored)
        run = _document(same, fields, stored.run if stored else None, target)
        bodies = packed(fields)
        if stored is not None:
            bodies = {part: body for part, body in bodies.items() if body is not stored.bodies.get(part)}
        each = StoredRun(run, bodies, stored.version if stored else None)
        (made.merged if latest is None else made.whole).append(each)
        if run.parent_run_id and not (fields.get("trace_id") or fields.get("dotted_order")):
            made.untold.add(run_id)
    return made


def _document(same: Sequence[RawRun], fields: Mapping[str, Any], stored: Run | None, target: _Target) -> Run:
    only_patched = all(record.operation == "patch" for record in same)
    told = next((record.project_id for record in reversed(same) if record.project_id), target.project_id)
    source_ids = [record.source_id for record in same if record.source_id]
    return document(
        fields,
        stored,
        target.prices,
        workspace_id=target.workspace_id,
        id=same[0].id,
        project_id=stored.project_id if stored and only_patched else told,
        source_id=source_ids[-1] if source_ids else (stored.source_id if stored else None),
        received_at=stored.received_at if stored else target.received_at,
    )


def _merged(records: Sequence[RawRun], stored: StoredRun | None) -> dict[str, Any]:
    """Of one id: what is stored, or a `run` record that is the first; filled in by posts, overwritten by patches."""
    whole = _embodied(records[0].fields) if records[0].operation == "run" else {}
    known = fields_of(stored.run, stored.bodies) if stored else whole
    posted: dict[str, Any] = {}
    for record in records:
        if record.operation == "post":
            posted = _overlaid(posted, _embodied(record.fields))
    fields = _overlaid(posted, known)
    for record in records:
        if record.operation == "patch":
            fields = _overlaid(fields, _embodied(record.fields))
    return fields


def _embodied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with each body as a Body, which the reader of multipart makes itself."""
    bodies: dict[str, Any] = {
        part: Body(fields[part]) for part in PARTS if part in fields and not isinstance(fields[part], Body)
    }
    return {**fields, **bodies}


def _overlaid(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` and its `metadata` are merged by key: a patch may tell only a part of them."""
    if not old:
        return dict(new)
    fields = dict(old)
    for key, value in new.items():
        before = fields.get(key)
        if key == "extra" and _both_objects(before, value):
            fields[key] = Body(_overlaid(before.value, value.value))
        elif key == "metadata" and isinstance(before, dict) and isinstance(value, dict):
            fields[key] = _overlaid(before, value)
        elif before is None or not _is_empty(value):
            fields[key] = value
    return fields


def _both_objects(before: object, value: object) -> TypeGuard[Body]:
    return all(isinstance(one, Body) and isinstance(one.value, dict) for one in (before, value))


def _is_empty(value: object) -> bool:
    value = value.value if isinstance(value, Body) else value
    return value is None or (isinstance(value, str | list | dict) and not value)


async def _with_traces(store: Store, workspace_id: str, made: _Made) -> _Made:
    """The same, each untold run in the trace of the nearest ancestor whose trace is known."""
    batch = {each.run.id: each.run for each in (*made.whole, *made.merged)}
    tops = {run_id: _top(run_id, batch, made.untold) for run_id in made.untold}
    elsewhere = {top for top in tops.values() if top not in batch}
    known = batch | (await store.runs(workspace_id, elsewhere) if elsewhere else {})
    traces = {run_id: known[top].trace_id if top in known else top for run_id, top in tops.items()}

    def told(each: StoredRun) -> StoredRun:
        changes = {"trace_id": traces.get(each.run.id, each.run.trace_id)}
        return replace(each, run=each.run.model_copy(update=changes))

    return _Made([told(each) for each in made.whole], [told(each) for each in made.merged])


def _top(run_id: str, batch: Mapping[str, Run], untold: set[str]) -> str:
    """The first ancestor that is not untold itself; of a ring of parents, one of the ring."""
    passed = {run_id}
    while run_id in untold:
        parent = batch[run_id].parent_run_id
        if parent is None or parent in passed:
            return min(passed)
        passed.add(parent)
        run_id = parent
    return run_id
