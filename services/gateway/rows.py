"""Runs as JSON, as many as one page holds; their bodies are held packed for a few at a time."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from services.gateway.access import Caller
from services.gateway.attachments import attachment_urls_of
from shared.bodies import unpack
from shared.models import BodyPart, Run
from shared.store import Store
from shared.store.documents import encode, slices
from shared.store.queries import Place, place_of

TOGETHER = 10  # runs whose bodies are held packed
LARGEST = 64 * 1024 * 1024  # bytes: a page goes no further, and the next begins there

Row = Callable[[Run, Mapping[BodyPart, Any], Mapping[str, Any]], Any]


async def rendered(
    store: Store, caller: Caller, runs: Sequence[Run], row: Row, parts: Collection[BodyPart], *, files: bool
) -> tuple[list[bytes], Place | None]:
    """`row` of each run, its bodies and, with `files`, its s3_urls; and the place of the last that there was room for.

    The place is None where all had room.
    """
    urls = await attachment_urls_of(store, caller, [run.id for run in runs]) if files else {}
    rows: list[bytes] = []
    room = LARGEST
    for some in slices(runs, TOGETHER if parts else len(runs)):
        packed = await store.bodies(caller.workspace_id, [run.id for run in some], parts) if parts else {}
        more = await asyncio.to_thread(_some, row, some, packed, urls, room)
        if not rows and not more:  # one that is too large is a page of its own
            more = await asyncio.to_thread(_some, row, some[:1], packed, urls, None)
        rows += more
        room -= sum(map(len, more))
        if len(more) < len(some):
            return rows, place_of(runs[len(rows) - 1])
    return rows, None


def _some(
    row: Row,
    runs: Sequence[Run],
    packed: Mapping[str, Mapping[BodyPart, bytes]],
    urls: Mapping[str, Mapping[str, Any]],
    room: int | None,
) -> list[bytes]:
    """As many of the runs as there is room for, in bytes."""
    rows: list[bytes] = []
    for run in runs:
        bodies = {part: unpack(body) for part, body in packed.get(run.id, {}).items()}
        one = encode(row(run, bodies, urls.get(run.id, {}))).encode()
        if room is not None and (room := room - len(one)) < 0:
            break
        rows.append(one)
    return rows
