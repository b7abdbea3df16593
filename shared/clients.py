"""Which endpoint a job's calls go to, and with which key.

    a job without base_url      the environment's address, with the workspace's secret, else the environment's key
    with that same address      the same
    with another                that one, with the workspace's secret for that host, else with none

So the environment's key and headers go to the environment's address alone, and a workspace's secret to the hosts that
it was stored for. An endpoint that is not the environment's may fail for one workspace alone: what would be waited for
there ends the job, since its items would wait in the places of everybody else's.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.addresses import Guard, same_address
from shared.errors import JobError, ModelAwayError, UsageError
from shared.llm import Endpoint, Llm
from shared.llm.client import CONCURRENCY
from shared.secrets import Secret
from shared.store import Store
from shared.vault import MISSING, SealError, Vault

KEPT = 64  # clients that nobody uses at present

Identity = tuple[str, tuple[tuple[str, str], ...], bool]


@dataclass(slots=True)
class _Client:
    llm: Llm
    users: int = 0


class Clients:
    """`own` is of the environment's endpoint; `concurrency` is that of each other one to begin with."""

    def __init__(
        self,
        store: Store,
        own: Llm,
        vault: Vault | None = None,
        guard: Guard | None = None,
        *,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._store, self._own = store, own
        self._vault, self._guard = vault, guard or Guard()
        self._concurrency = concurrency
        self._clients: OrderedDict[Identity, _Client] = OrderedDict()

    @property
    def trouble(self) -> str | None:
        """Why the environment's endpoint does not answer at present."""
        return self._own.trouble

    def place(self, base_url: str | None) -> str:
        """Of the endpoint of a job with this `base_url`: see `Endpoint.place`."""
        return Endpoint(base_url).place if base_url is not None else self._own.endpoint.place

    async def known(self, workspace_id: str, base_url: str | None) -> bool:
        """Whether anybody has said where such a job's calls would go, or with which key."""
        own = self._own.endpoint
        if base_url is not None or own.base_url is not None or own.secret or own.headers:
            return True
        return await self._headers(workspace_id, own.address) is not None

    @asynccontextmanager
    async def of(self, workspace_id: str, base_url: str | None) -> AsyncIterator[Llm]:
        """For one call. JobError where the job cannot ask."""
        home = base_url is None or same_address(base_url, self._own.endpoint.address)
        address = self._own.endpoint.address if base_url is None or home else base_url
        headers = await self._headers(workspace_id, address)
        if home and headers is None:
            yield self._own
            return
        client = await self._client(address, headers or {}, guarded=not home)
        client.users += 1
        try:
            yield client.llm
        except ModelAwayError as error:
            raise JobError(f"{error} Look at it, then make the job again.") from error
        finally:
            client.users -= 1

    async def close(self) -> None:
        for client in self._clients.values():
            await client.llm.close()

    async def _headers(self, workspace_id: str, address: str) -> Mapping[str, str] | None:
        """Of the workspace's first secret that is for this address; None if there is none."""
        for secret in await self._store.secrets(workspace_id):
            config = secret.config_for(address)
            if config is not None and secret.sealed is not None:
                return dict([config.header(self._opened(secret, secret.sealed))])
        return None

    def _opened(self, secret: Secret, sealed: str) -> str:
        if self._vault is None:
            raise JobError(f"The secret {secret.key} cannot be opened here. {MISSING}")
        try:
            return self._vault.open(sealed)
        except (SealError, UsageError) as error:
            raise JobError(f"The secret {secret.key} cannot be used. {error}") from error

    async def _client(self, address: str, headers: Mapping[str, str], *, guarded: bool) -> _Client:
        identity = (address, tuple(sorted(headers.items())), guarded)
        if identity not in self._clients:
            if guarded:
                await self._check(address)
            await self._close_idle()
        if identity not in self._clients:  # nobody made it while we waited
            self._clients[identity] = _Client(self._made(address, headers, guarded=guarded))
        self._clients.move_to_end(identity)
        return self._clients[identity]

    async def _close_idle(self) -> None:
        """The longest unused, where there are many: their number is the clients' choice."""
        idle = [identity for identity, client in self._clients.items() if not client.users]
        for closed in [self._clients.pop(identity) for identity in idle[: max(0, len(idle) - KEPT)]]:
            await closed.llm.close()

    async def _check(self, address: str) -> None:
        try:
            await self._guard.check(address)
        except UsageError as error:
            raise JobError(str(error)) from error

    def _made(self, address: str, headers: Mapping[str, str], *, guarded: bool) -> Llm:
        try:
            endpoint = Endpoint(address, headers=headers, timeout=self._own.endpoint.timeout)
        except UsageError as error:
            raise JobError(str(error)) from error
        return Llm(endpoint, concurrency=self._concurrency, http=self._guard.client() if guarded else None)
