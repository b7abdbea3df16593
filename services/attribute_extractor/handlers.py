"""A summarised item gets its attributes and ends."""

from collections.abc import Awaitable, Callable

from services.attribute_extractor import local, model
from services.attribute_extractor.extracted import Extracted
from shared.asking import Asker
from shared.bus import Publish, Router
from shared.embedding.worker import Embedder
from shared.ending import end_item, left_with_job
from shared.errors import InvalidEventError
from shared.events import ItemSummarized
from shared.frozen import FrozenJob, FrozenJobs
from shared.models import FINAL, Item, ItemState
from shared.store import Store

router = Router("attribute_extractor")

Engine = Callable[[Store, Embedder, Asker, FrozenJob, Item], Awaitable[Extracted]]
ENGINES: dict[str, Engine] = {"local": local.extract, "model": model.extract}


@router.subscriber(ItemSummarized, windowed=True)
async def extract_attributes(
    event: ItemSummarized,
    store: Store,
    publish: Publish,
    frozen_jobs: FrozenJobs,
    embedder: Embedder,
    asker: Asker,
) -> None:
    """One summarised item in, its attributes and its end out."""
    item = await store.item(event.workspace_id, event.job_id, event.item_id)
    if item is None:
        raise InvalidEventError(f"There is no item {event.item_id} in job {event.job_id}: was the job deleted?")
    if item.state not in (ItemState.SUMMARIZED, *FINAL):
        return  # whatever published this was too early: the item's own event comes once its summary is stored
    found = Extracted(item.attributes)
    if not item.state.final:
        if await left_with_job(store, publish, item):
            return
        frozen = await frozen_jobs.get(event.workspace_id, event.job_id)
        found = await ENGINES[frozen.job.config.engine](store, embedder, asker, frozen, item)
    state = ItemState.LEFT_OUT if found.left_out else ItemState.DONE
    changes = {"attributes": dict(found.attributes), "unknown": dict(found.unknown)}
    await end_item(store, publish, item.workspace_id, item.job_id, item.id, state, found.left_out, **changes)
