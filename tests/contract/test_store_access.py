"""What both stores promise about workspaces, API keys and sealed secrets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.access import Role, digest_of, new_key, workspace_named
from shared.secrets import HostConfig, Secret
from shared.store import Store, connect

W, OTHER = "workspace-1", "workspace-2"


@pytest.fixture(params=["sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/insights.db" if sqlite else request.getfixturevalue("mongo_url")
    opened = await connect(url)
    await opened.init()
    yield opened
    await opened.close()


async def test_a_key_is_found_by_its_digest_and_comes_back_equal(store: Store) -> None:
    assert not await store.has_api_keys()
    key, text = new_key(W, "half \ud83d", Role.WRITER, 7)
    await store.insert_api_key(key)
    assert await store.has_api_keys()
    assert await store.api_key(digest_of(text)) == key
    assert await store.api_key(digest_of("another")) is None
    assert text not in key.model_dump_json(exclude={"name"})


async def test_keys_are_listed_by_workspace_in_the_order_they_were_made(store: Store) -> None:
    made = [new_key(workspace, "ci", Role.READER, at)[0] for at, workspace in enumerate((W, OTHER, W))]
    for key in reversed(made):
        await store.insert_api_key(key)
    assert await store.api_keys(W) == [made[0], made[2]]
    assert await store.api_keys() == made


async def test_a_key_is_revoked_once_and_only_in_its_own_workspace(store: Store) -> None:
    key, _ = new_key(W, "ci", Role.ADMIN, 1)
    await store.insert_api_key(key)
    assert not await store.revoke_api_key(OTHER, key.id, 5)
    assert await store.revoke_api_key(W, key.id, 6)
    assert not await store.revoke_api_key(W, key.id, 7)
    assert await store.api_key(key.digest) == key.model_copy(update={"revoked_at": 6})
    assert await store.has_api_keys(), "a deployment that had a key is never open again"


async def test_the_last_use_of_a_key_is_noted(store: Store) -> None:
    key, _ = new_key(W, "ci", Role.ADMIN, 1)
    await store.insert_api_key(key)
    await store.note_api_key_use(key.digest, 9)
    assert await store.api_key(key.digest) == key.model_copy(update={"last_used": 9})


async def test_a_workspace_is_made_once(store: Store) -> None:
    first, again = workspace_named("shop", 1), workspace_named("shop", 2)
    await store.insert_workspace(first)
    await store.insert_workspace(again)
    await store.insert_workspace(workspace_named("bank", 3))
    assert [one.name for one in await store.workspaces()] == ["shop", "bank"]
    assert (await store.workspaces())[0] == first


async def test_secrets_are_kept_apart_by_workspace_and_come_back_equal(store: Store) -> None:
    hosts = (HostConfig(host_pattern="*.example.com", header_name="api-key", header_value_template="x {value}"),)
    one, two = Secret(workspace_id=W, key="B", sealed="s", configs=hosts), Secret(workspace_id=W, key="A")
    foreign = Secret(workspace_id=OTHER, key="B", sealed="other")
    for secret in (one, two, foreign):
        await store.save_secret(secret)
    assert await store.secret(W, "B") == one
    assert await store.secrets(W) == [two, one]
    assert await store.secrets() == [two, one, foreign]
    await store.save_secret(one.model_copy(update={"sealed": "new"}))
    assert (await store.secret(W, "B") or one).sealed == "new"
    assert await store.delete_secret(W, "B")
    assert not await store.delete_secret(W, "B")
    assert await store.secrets(OTHER) == [foreign]


async def test_a_secret_that_was_changed_meanwhile_is_not_sealed_over(store: Store) -> None:
    secret = Secret(workspace_id=W, key="A", sealed="old")
    await store.save_secret(secret)
    assert await store.reseal_secret(W, "A", "old", "new")
    assert not await store.reseal_secret(W, "A", "old", "lost")
    assert (await store.secret(W, "A") or secret).sealed == "new"
