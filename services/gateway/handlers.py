"""The gateway takes no events; it publishes again what it could not: an accepted job is never lost."""

import asyncio
import logging

from shared import metrics
from shared.bus import Publish, Router
from shared.ending import now
from shared.errors import RefusedError, UnavailableError
from shared.jobs import announce_job
from shared.store import Store

log = logging.getLogger(__name__)

router = Router("gateway")

PAUSE = 10.0  # seconds


@router.background
async def announce_jobs(store: Store, publish: Publish) -> None:
    """The outbox: jobs that stand unannounced for PAUSE seconds, whichever process stored them."""
    while True:
        try:
            for job in await store.unannounced_jobs(now() - round(PAUSE * 1_000_000)):
                await announce_job(store, publish, job)
        except (UnavailableError, RefusedError) as error:
            log.warning("The outbox could not work: %s", error)
            metrics.ROUNDS_FAILED.labels("outbox").inc()
        await asyncio.sleep(PAUSE)
