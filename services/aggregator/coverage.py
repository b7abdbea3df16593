"""What became of every item that was asked for: nothing is left out in silence."""

from collections import Counter
from typing import Any

from shared.ending import is_filtered
from shared.models import ItemState, Job
from shared.store import Store

SHOWN = 1_000
PAGE = 1_000


async def coverage(store: Store, job: Job) -> dict[str, Any]:
    """Counts of items by how they ended, the first thousand failures and why, and why others were left out."""
    counts = await store.count_items(job.workspace_id, job.id)
    left_out = await _left_out(store, job)
    failed = await store.items(job.workspace_id, job.id, states={ItemState.FAILED}, limit=SHOWN)
    return {
        "requested": job.requested,
        "matched": job.matched,
        "unfinished": job.unfinished,
        "sampled": job.sampled,
        "summarized": counts.get(ItemState.DONE, 0) + sum(n for reason, n in left_out.items() if is_filtered(reason)),
        "failed_count": counts.get(ItemState.FAILED, 0),
        "failed": [{"run_id": item.run_ids[-1], "reason": item.reason} for item in failed],
        "left_out": left_out,
    }


async def _left_out(store: Store, job: Job) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    after = None
    while True:
        page = await store.items(job.workspace_id, job.id, states={ItemState.LEFT_OUT}, after=after, limit=PAGE)
        reasons.update(item.reason or "unknown" for item in page)
        if len(page) < PAGE:
            return dict(sorted(reasons.items()))
        after = page[-1].id
