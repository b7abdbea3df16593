"""Items in the order of their report, so that a page of it costs the same wherever it begins."""

from collections.abc import Collection, Mapping
from typing import Protocol

from shared.models import Item


class PlacedItems(Protocol):
    async def items_at(self, workspace_id: str, job_id: str, places: Collection[int]) -> list[Item]:
        """Those at these places (`Item.place`), sorted by place, without features; each is one look at an index."""

    async def save_orders(self, workspace_id: str, job_id: str, fence: int, orders: Mapping[str, bytes]) -> None:
        """Insert or replace, by name of the attribute that a job's items are ordered by (`shared/orders.py`)."""

    async def order(self, workspace_id: str, job_id: str, fence: int, name: str) -> bytes | None: ...
