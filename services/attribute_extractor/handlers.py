"""A summarised item gets its attributes and ends."""

from collections.abc import Callable
from typing import Any

from services.attribute_extractor import local
from shared.bus import Publish, Router
from shared.ending import end_item
from shared.errors import InvalidEventError
from shared.events import ItemSummarized
from shared.frozen import FrozenJobs
from shared.models import FINAL, Item, ItemState, Job
from shared.store import Store

router = Router("attribute_extractor")

ENGINES: dict[str, Callable[[Job, Item], dict[str, Any]]] = {"local": local.extract}


@router.subscriber(ItemSummarized, windowed=True)
async def extract_attributes(event: ItemSummarized, store: Store, publish: Publish, frozen_jobs: FrozenJobs) -> None:
    """One summarised item in, its attributes and its end out."""
    item = await store.item(event.workspace_id, event.job_id, event.item_id)
    if item is None:
        raise InvalidEventError(f"There is no item {event.item_id} in job {event.job_id}: was the job deleted?")
    if item.state not in (ItemState.SUMMARIZED, *FINAL):
        return  # whatever published this was too early: the item's own event comes once its summary is stored
    attributes = item.attributes
    if not item.state.final:
        job = (await frozen_jobs.get(event.workspace_id, event.job_id)).job
        attributes = ENGINES[job.config.engine](job, item)
    await end_item(store, publish, item.workspace_id, item.job_id, item.id, ItemState.DONE, attributes=attributes)
