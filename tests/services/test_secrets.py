"""Secrets come in and never out; how LangSmith's client and the newer form of the API store them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway.app import make_app
from services.gateway.secrets import MOST
from shared.models import DEFAULT_WORKSPACE
from shared.secrets import workspace_has_key
from shared.store.sqlite import SqliteStore
from shared.vault import Vault, new_vault_key
from tests.services.test_access import nothing

AT = "/workspaces/current/secrets"
VALUE = "sk-planted-4711"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    yield opened
    await opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([new_vault_key()])


@pytest.fixture
async def client(store: SqliteStore, vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(store, nothing, nothing, vault=vault))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as found:
        yield found


async def names(client: httpx.AsyncClient) -> list[str]:
    return [one["key"] for one in (await client.get(AT)).json()]


async def test_a_user_without_a_key_gets_through_until_one_is_stored(client: httpx.AsyncClient) -> None:
    """LangSmith's client gives up where no provider's key is listed, and asks no further where one is."""
    assert (await client.get(AT)).json() == [{"key": "OPENAI_API_KEY"}]
    await client.post(AT, json=[{"key": "SOMETHING_ELSE", "value": VALUE}])
    assert sorted(await names(client)) == ["OPENAI_API_KEY", "SOMETHING_ELSE"]
    await client.post(AT, json=[{"key": "ANTHROPIC_API_KEY", "value": VALUE}])
    assert await names(client) == ["ANTHROPIC_API_KEY", "SOMETHING_ELSE"], "the client would choose openai"


async def test_what_langsmiths_client_sends_is_stored_sealed(
    client: httpx.AsyncClient, store: SqliteStore, vault: Vault
) -> None:
    answer = await client.post(f"/api/v1{AT}", json=[{"key": "OPENAI_API_KEY", "value": VALUE, "unknown": 1}])
    assert answer.status_code == 200
    assert VALUE not in answer.text
    secret = await store.secret(DEFAULT_WORKSPACE, "OPENAI_API_KEY")
    assert secret is not None
    assert secret.sealed is not None
    assert VALUE not in secret.sealed
    assert vault.open(secret.sealed) == VALUE
    assert VALUE not in (await client.get(AT, params={"include_configs": True})).text


async def test_a_provider_counts_as_stored_only_with_a_real_key(client: httpx.AsyncClient, store: SqliteStore) -> None:
    async def has(provider: str) -> bool:
        return await workspace_has_key(store, DEFAULT_WORKSPACE, provider)

    await client.put(f"{AT}/OPENAI_API_KEY", json={"configs": []})
    await client.put(f"{AT}/MINE_API_KEY", json={"value": VALUE})
    assert not [provider for provider in ("openai", "anthropic", "mine", "") if await has(provider)]
    await client.put(f"{AT}/OPENAI_API_KEY", json={"value": VALUE})
    assert await has("openai")


async def test_null_changes_nothing(client: httpx.AsyncClient, store: SqliteStore) -> None:
    given = [{"key": "OPENAI_API_KEY", "value": None}]
    assert (await client.post(AT, json=given)).status_code == 200
    assert await store.secrets(DEFAULT_WORKSPACE) == []
    await client.post(AT, json=[{"key": "OPENAI_API_KEY", "value": VALUE}])
    before = await store.secrets(DEFAULT_WORKSPACE)
    assert (await client.post(AT, json=given)).status_code == 200
    assert (await client.put(f"{AT}/OPENAI_API_KEY", json={})).status_code == 200
    assert await store.secrets(DEFAULT_WORKSPACE) == before


async def test_the_newer_form_says_for_which_hosts_a_secret_is(client: httpx.AsyncClient) -> None:
    hosts = [{"host_pattern": "*.Example.com", "header_name": "api-key", "header_value_template": None}]
    made = await client.put(f"{AT}/MINE", json={"value": VALUE, "configs": hosts})
    expected = [{"host_pattern": "*.example.com", "header_name": "api-key", "header_value_template": None}]
    assert made.json() == {"key": "MINE", "configs": expected}
    changed = await client.put(f"{AT}/MINE", json={"value": "other"})
    assert changed.json() == made.json(), "hosts that are left out stay"
    listed = (await client.get(AT, params={"include_configs": True})).json()
    assert listed[0] == made.json()
    assert (await client.delete(f"{AT}/MINE")).status_code == 200
    assert (await client.delete(f"{AT}/MINE")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"value": 5},
        {"value": ""},
        {"value": f"{VALUE} with space"},
        {"value": f"{VALUE}\ud800"},
        {"value": VALUE + "x" * 9_000},
        {"value": VALUE, "configs": [{"host_pattern": "*"}]},
        {"value": VALUE, "configs": [{"host_pattern": "*.com"}]},
        {"value": VALUE, "configs": [{"host_pattern": "a.*.example.com"}]},
        {"value": VALUE, "configs": [{"host_pattern": "https://example.com/"}]},
        {"value": VALUE, "configs": [{"host_pattern": "example.com", "header_name": "Host"}]},
        {"value": VALUE, "configs": [{"host_pattern": "example.com", "header_name": "a\r\nb"}]},
        {"value": VALUE, "configs": [{"host_pattern": "example.com", "header_value_template": "Bearer"}]},
        {"value": VALUE, "configs": [{"host_pattern": "a.example.com"}] * 21},
        [VALUE],
    ],
)
async def test_what_is_no_secret_is_refused_and_not_repeated(
    client: httpx.AsyncClient, store: SqliteStore, body: Any
) -> None:
    answers = [await client.put(f"{AT}/MINE", content=json.dumps(body))]
    if isinstance(body, dict):
        answers.append(await client.post(AT, content=json.dumps([body | {"key": "MINE"}])))
    answers.append(await client.post(AT, content=json.dumps([{"key": VALUE + " ", "value": VALUE}])))
    for answer in answers:
        assert answer.status_code == 422
        assert VALUE not in answer.text
    assert await store.secrets(DEFAULT_WORKSPACE) == []


async def test_a_workspace_keeps_a_bounded_number(client: httpx.AsyncClient) -> None:
    for number in range(MOST):
        await client.put(f"{AT}/S{number}", json={"configs": []})
    assert (await client.put(f"{AT}/ONE_MORE", json={"value": VALUE})).status_code == 422
    assert (await client.put(f"{AT}/S5", json={"value": VALUE})).status_code == 200


async def test_without_a_vault_it_is_said_what_to_set(store: SqliteStore) -> None:
    transport = httpx.ASGITransport(make_app(store, nothing, nothing))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post(AT, json=[{"key": "OPENAI_API_KEY", "value": VALUE}])
        assert (answer.status_code, "INSIGHTS_SECRETS_KEY" in answer.json()["detail"]) == (400, True)
        assert (await client.get(AT)).status_code == 200
