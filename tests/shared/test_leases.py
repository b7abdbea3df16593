"""A lease is held while a block runs, renewed beside it, and given back after it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from shared.errors import RefusedError, UnavailableError
from shared.leases import Lease, hold
from shared.store import Store, connect

A_MOMENT = 0.001  # seconds
NEVER_LAPSES = 3_600.0
TOO_LONG = 20.0  # seconds after which something that should have happened has not


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await connect(f"sqlite:///{tmp_path}/insights.db")
    await store.init()
    yield store
    await store.close()


class Leases:
    """A store that answers renewals from a script, the last answer for ever, and tells when the script is over."""

    def __init__(self, *answers: bool | Exception, release: Exception | None = None) -> None:
        self.answers = list(answers)
        self.over = asyncio.Event()
        self.renewals = 0
        self.released = 0
        self._release = release

    async def acquire_lease(self, name: str, owner: str, seconds: float) -> int | None:
        return 7

    async def renew_lease(self, name: str, owner: str, seconds: float) -> bool:
        self.renewals += 1
        last = len(self.answers) == 1
        answer = self.answers[0] if last else self.answers.pop(0)
        if last:
            self.over.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def release_lease(self, name: str, owner: str) -> None:
        self.released += 1
        if self._release:
            raise self._release


async def held_to_the_end(leases: Leases) -> Lease:
    """The lease after the script of renewals is over."""
    async with hold(cast(Store, leases), "name", "me", A_MOMENT) as lease:
        await asyncio.wait_for(leases.over.wait(), TOO_LONG)
    assert lease is not None
    return lease


async def test_one_holds_it_and_the_next_gets_a_higher_fence(store: Store) -> None:
    async with hold(store, "name", "me", NEVER_LAPSES) as mine:
        async with hold(store, "name", "other", NEVER_LAPSES) as others:
            assert others is None
        async with hold(store, "another name", "other", NEVER_LAPSES) as free:
            assert free is not None
    async with hold(store, "name", "other", NEVER_LAPSES) as later:
        assert mine is not None
        assert later is not None
        assert later.fence > mine.fence
        assert not mine.lost


async def test_whoever_did_not_get_it_does_not_give_it_back(store: Store) -> None:
    async with hold(store, "name", "me", NEVER_LAPSES):
        for _ in range(2):
            async with hold(store, "name", "other", NEVER_LAPSES) as others:
                assert others is None


async def test_it_is_given_back_when_the_block_fails(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        async with hold(store, "name", "me", NEVER_LAPSES):
            raise ZeroDivisionError
    async with hold(store, "name", "other", NEVER_LAPSES) as later:
        assert later is not None


async def test_it_is_given_back_when_the_block_is_cancelled(store: Store) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with hold(store, "name", "me", NEVER_LAPSES):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.wait_for(entered.wait(), TOO_LONG)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with hold(store, "name", "other", NEVER_LAPSES) as later:
        assert later is not None


async def test_it_is_renewed_for_as_long_as_the_block_runs() -> None:
    leases = Leases(True, True, True, True)
    lease = await held_to_the_end(leases)
    assert (lease.lost, leases.released) == (False, 1)
    assert leases.renewals >= 4


async def test_an_owner_that_lost_it_is_told_and_does_not_give_it_back() -> None:
    leases = Leases(True, False)
    lease = await held_to_the_end(leases)
    assert (lease.lost, leases.released, leases.renewals) == (True, 0, 2)


@pytest.mark.parametrize("error", [UnavailableError("Away."), RefusedError("No.")])
async def test_a_store_that_is_away_for_a_moment_loses_nothing(error: Exception) -> None:
    leases = Leases(error, error, True)
    lease = await held_to_the_end(leases)
    assert (lease.lost, leases.released) == (False, 1)


async def test_a_store_that_is_away_when_it_is_given_back_does_not_fail_the_work() -> None:
    """It lapses by itself."""
    leases = Leases(True, release=UnavailableError("Away."))
    assert not (await held_to_the_end(leases)).lost
    assert leases.released == 1
