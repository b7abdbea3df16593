"""The store of a contract: SQLite's, or that of the `url` which a class of its own gives."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.store import Store, connect


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/insights.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """Initialised."""
    opened = await connect(url)
    await opened.init()
    yield opened
    await opened.close()


@pytest.fixture
async def other(store: Store, url: str) -> AsyncIterator[Store]:
    """Of another process, on the same data."""
    opened = await connect(url)
    yield opened
    await opened.close()
