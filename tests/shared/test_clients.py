"""Which endpoint a job's calls go to, and that no key goes where it was not meant to."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from shared import clients as module
from shared.addresses import Guard
from shared.clients import Clients
from shared.errors import JobError, ModelAwayError
from shared.llm import Endpoint, Llm
from shared.models import DEFAULT_WORKSPACE
from shared.secrets import HostConfig, Secret
from shared.store.sqlite import SqliteStore
from shared.vault import Vault, new_vault_key
from tests.shared.llm.conftest import Script, completion, question

HOME, ELSEWHERE = "https://home.example/v1", "https://elsewhere.example/v1"
OF_THE_ENVIRONMENT, OF_THE_HEADER, OF_THE_WORKSPACE = "sk-environment", "header-environment", "sk-workspace"
W = DEFAULT_WORKSPACE


class Wires(Guard):
    """What would be sent to other endpoints than the environment's."""

    def __init__(self, script: Script, *addresses: str) -> None:
        async def lookup(host: str, port: int) -> list[str]:
            return list(addresses) or ["93.184.215.14"]

        super().__init__(lookup=lookup)
        self._script = script

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._script))


class World:
    """`home` and `others` hold what was sent to the environment's endpoint, and to any other."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.vault = store, Vault([new_vault_key()])
        self.home, self.others = Script(completion()), Script(completion())
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self.home))
        environment = Endpoint(HOME, SecretStr(OF_THE_ENVIRONMENT), {"X-Key": OF_THE_HEADER})
        self.own = Llm(environment, http=http)
        self.clients = Clients(store, self.own, self.vault, Wires(self.others))

    async def keep(self, key: str, *hosts: HostConfig, workspace: str = W, value: str = OF_THE_WORKSPACE) -> None:
        sealed = self.vault.seal(value)
        await self.store.save_secret(Secret(workspace_id=workspace, key=key, sealed=sealed, configs=hosts))

    async def ask(self, base_url: str | None) -> httpx2.Request:
        """The one request that a call of a job with this `base_url` makes."""
        for script in (self.home, self.others):
            script.requests.clear()
        async with self.clients.of(W, base_url) as llm:
            await llm.ask(question())
        [sent] = self.home.requests + self.others.requests
        return sent

    async def close(self) -> None:
        await self.clients.close()
        await self.own.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await SqliteStore.open(f"sqlite:///{tmp_path}/insights.db")
    made = World(store)
    yield made
    await made.close()
    await store.close()


def secrets_in(sent: httpx2.Request) -> set[str]:
    said = str(sent.headers.raw) + str(sent.url)
    return {one for one in (OF_THE_ENVIRONMENT, OF_THE_HEADER, OF_THE_WORKSPACE) if one in said}


@pytest.mark.parametrize("base_url", [None, HOME, "https://HOME.example:443/v1/"])
async def test_the_environments_key_goes_to_the_environments_address(world: World, base_url: str | None) -> None:
    sent = await world.ask(base_url)
    assert (sent.url.host, secrets_in(sent)) == ("home.example", {OF_THE_ENVIRONMENT, OF_THE_HEADER})


@pytest.mark.parametrize(
    "base_url",
    [ELSEWHERE, "http://home.example/v1", "https://home.example/v2", "https://home.example:444/v1",
     "https://home.example.evil.example/v1", "https://evil.example/?home.example/v1"],
)  # fmt: skip
async def test_the_environments_key_goes_nowhere_else(world: World, base_url: str) -> None:
    sent = await world.ask(base_url)
    assert secrets_in(sent) == set()
    assert "authorization" not in sent.headers
    assert str(sent.url).startswith(base_url.partition("?")[0])


async def test_a_workspaces_secret_goes_to_the_hosts_that_it_was_stored_for(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="*.example.com"), HostConfig(host_pattern="elsewhere.example"))
    for base_url, expected in (
        (ELSEWHERE, {OF_THE_WORKSPACE}),
        ("https://models.eu.example.com/v1", {OF_THE_WORKSPACE}),
        ("https://example.com/v1", set()),
        ("https://evilexample.com/v1", set()),
        ("http://elsewhere.example/v1", set()),
        ("https://elsewhere.example.evil.example/v1", set()),
    ):
        sent = await world.ask(base_url)
        assert secrets_in(sent) == expected, base_url


async def test_over_plain_http_only_where_the_host_was_stored_with_its_port(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="models.example:11434"))
    assert secrets_in(await world.ask("http://models.example:11434/v1")) == {OF_THE_WORKSPACE}
    assert secrets_in(await world.ask("http://models.example/v1")) == set()
    assert secrets_in(await world.ask("https://models.example/v1")) == set()


async def test_a_providers_key_without_hosts_is_the_providers(world: World) -> None:
    await world.keep("OPENAI_API_KEY")
    await world.keep("SOME_KEY", value=OF_THE_HEADER)
    assert secrets_in(await world.ask("https://api.openai.com/v1")) == {OF_THE_WORKSPACE}
    assert secrets_in(await world.ask("https://api.anthropic.com/v1")) == set()
    assert secrets_in(await world.ask(ELSEWHERE)) == set()


async def test_another_workspaces_secret_is_never_used(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="elsewhere.example"), workspace="another")
    assert secrets_in(await world.ask(ELSEWHERE)) == set()


async def test_a_workspace_may_pay_with_its_own_key_at_the_environments_address(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="home.example"))
    async with world.clients.of(W, None) as llm:
        endpoint = llm.endpoint
    assert endpoint.headers == {"Authorization": f"Bearer {OF_THE_WORKSPACE}"}
    assert not endpoint.secret


@pytest.mark.parametrize(
    ("config", "header"),
    [
        ({}, ("authorization", f"Bearer {OF_THE_WORKSPACE}")),
        ({"header_name": "api-key"}, ("api-key", OF_THE_WORKSPACE)),
        ({"header_value_template": "Token ${KEY}"}, ("authorization", f"Token {OF_THE_WORKSPACE}")),
        ({"header_name": "X-K", "header_value_template": "k={{value}}"}, ("x-k", f"k={OF_THE_WORKSPACE}")),
        ({"header_name": "authorization"}, ("authorization", f"Bearer {OF_THE_WORKSPACE}")),
    ],
)
async def test_a_secret_goes_in_the_header_that_was_asked_for(
    world: World, config: dict[str, Any], header: tuple[str, str]
) -> None:
    await world.keep("MINE", HostConfig(host_pattern="elsewhere.example", **config))
    sent = await world.ask(ELSEWHERE)
    assert sent.headers.get_list(header[0]) == [header[1]]
    assert ("authorization" in sent.headers) == (header[0] == "authorization")


async def test_what_an_endpoint_repeats_of_the_secret_is_not_shown(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="elsewhere.example"))
    world.others.replies = [httpx2.Response(401, json={"error": {"message": f"Bad key: {OF_THE_WORKSPACE}"}})]
    with pytest.raises(JobError) as ended:
        await world.ask(ELSEWHERE)
    assert OF_THE_WORKSPACE not in str(ended.value)


async def test_a_private_address_ends_the_job_before_anything_is_sent(world: World) -> None:
    world.clients._guard = Wires(world.others, "169.254.169.254")
    with pytest.raises(JobError, match="INSIGHTS_PRIVATE_HOSTS"):
        await world.ask(ELSEWHERE)
    assert world.others.requests == []


async def test_a_secret_that_cannot_be_opened_ends_the_job_and_says_why(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="elsewhere.example"))
    world.clients._vault = Vault([new_vault_key()])
    with pytest.raises(JobError, match="MINE cannot be used"):
        await world.ask(ELSEWHERE)
    world.clients._vault = None
    with pytest.raises(JobError, match="INSIGHTS_SECRETS_KEY"):
        await world.ask(ELSEWHERE)


async def test_a_changed_secret_counts_at_once(world: World) -> None:
    await world.keep("MINE", HostConfig(host_pattern="elsewhere.example"), value="sk-before")
    assert (await world.ask(ELSEWHERE)).headers["authorization"] == "Bearer sk-before"
    await world.keep("MINE", HostConfig(host_pattern="elsewhere.example"), value="sk-after")
    assert (await world.ask(ELSEWHERE)).headers["authorization"] == "Bearer sk-after"
    await world.store.delete_secret(W, "MINE")
    assert "authorization" not in (await world.ask(ELSEWHERE)).headers


async def test_a_jobs_own_endpoint_that_is_away_ends_it_and_the_environments_is_waited_for(
    world: World,
) -> None:
    """Items that wait hold places, which are everybody's."""
    with pytest.raises(JobError, match=r"away\. Look at it"):
        async with world.clients.of(W, ELSEWHERE):
            raise ModelAwayError("It is away.")
    with pytest.raises(ModelAwayError):
        async with world.clients.of(W, None):
            raise ModelAwayError("It is away.")


async def test_clients_that_nobody_uses_are_closed_where_there_are_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    async with world.clients.of(W, "https://used.example/v1") as used:
        for number in range(6):
            await world.ask(f"https://n{number}.example/v1")
        assert len(world.clients._clients) <= 4
        await used.ask(question())
