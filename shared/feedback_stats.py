"""A run's `feedback`, kept true: what its source told of it, and all pieces of feedback that are stored.

Whoever changes feedback of a run counts it anew afterwards, by compare-and-set of the run, and whoever saves a run
looks whether feedback waits for it: in whatever order they come, the last of them sees all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.feedback import FeedbackRecord, counted, joined
from shared.models import Run
from shared.store import Store


async def keep_feedback(store: Store, workspace_id: str, records: Sequence[FeedbackRecord]) -> None:
    """Save it and count it, also on the runs that it was on before."""
    before = await store.feedback_by_id(workspace_id, [one.id for one in records])
    await store.save_feedback(records)
    found = (*records, *before.values())
    await count_feedback(store, workspace_id, {one.run_id for one in found if one.run_id is not None})


async def count_waiting(store: Store, workspace_id: str, run_ids: Collection[str]) -> None:
    """Of runs that were saved just now: count what feedback there is of them, mostly none."""
    if waiting := await store.feedback_scores(workspace_id, run_ids):
        await count_feedback(store, workspace_id, waiting)


async def count_feedback(store: Store, workspace_id: str, run_ids: Collection[str]) -> None:
    """Set the `feedback` of these runs by what is stored. Those that are not there yet are left out."""
    open_ = set(run_ids)
    while open_:
        # first the runs, then the scores: whoever adds one in between makes another version of its run afterwards
        before = await store.stored_runs(workspace_id, dict.fromkeys(open_, ()))
        scores = await store.feedback_scores(workspace_id, before)
        if scores:
            await store.place_feedback([before[run_id].run for run_id in scores])
        after = [replace(one, run=_with(one.run, scores.get(run_id, {}))) for run_id, one in before.items()]
        changed = [one for one in after if one.run.feedback != before[one.run.id].run.feedback]
        open_ = await store.merge_runs(changed) if changed else set()


def _with(run: Run, scores: Mapping[str, Sequence[Any]]) -> Run:
    told = run.feedback if run.told_feedback is None else run.told_feedback
    feedback = dict(told)
    for key, one in counted(scores).items():
        feedback[key] = joined(told.get(key), one)
    return run.model_copy(update={"feedback": feedback, "told_feedback": told})
