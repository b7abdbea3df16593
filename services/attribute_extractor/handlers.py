"""A summarised item gets its attributes and ends."""

from collections.abc import Awaitable, Callable
from typing import Any

from services.attribute_extractor import local
from shared.bus import Publish, Router
from shared.embedding.worker import Embedder
from shared.ending import end_item
from shared.errors import InvalidEventError
from shared.events import ItemSummarized
from shared.frozen import FrozenJob, FrozenJobs
from shared.models import FINAL, Item, ItemState
from shared.store import Store

router = Router("attribute_extractor")

Engine = Callable[[Store, Embedder, FrozenJob, Item], Awaitable[dict[str, Any]]]
ENGINES: dict[str, Engine] = {"local": local.extract}


@router.subscriber(ItemSummarized, windowed=True)
async def extract_attributes(
    event: ItemSummarized, store: Store, publish: Publish, frozen_jobs: FrozenJobs, embedder: Embedder
) -> None:
    """One summarised item in, its attributes and its end out."""
    item = await store.item(event.workspace_id, event.job_id, event.item_id)
    if item is None:
        raise InvalidEventError(f"There is no item {event.item_id} in job {event.job_id}: was the job deleted?")
    if item.state not in (ItemState.SUMMARIZED, *FINAL):
        return  # whatever published this was too early: the item's own event comes once its summary is stored
    attributes = item.attributes
    if not item.state.final:
        frozen = await frozen_jobs.get(event.workspace_id, event.job_id)
        attributes = await ENGINES[frozen.job.config.engine](store, embedder, frozen, item)
    await end_item(store, publish, item.workspace_id, item.job_id, item.id, ItemState.DONE, attributes=attributes)
