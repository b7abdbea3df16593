"""What is asked of a store about secrets: it holds them sealed, and opens none."""

from typing import Protocol

from shared.secrets import Secret


class SecretStore(Protocol):
    async def save_secret(self, secret: Secret) -> None:
        """Insert or replace, by workspace and key."""

    async def secret(self, workspace_id: str, key: str) -> Secret | None: ...

    async def secrets(self, workspace_id: str | None = None) -> list[Secret]:
        """Sorted by (workspace_id, key); those of every workspace if none is given."""

    async def delete_secret(self, workspace_id: str, key: str) -> bool:
        """False where there is none."""

    async def reseal_secret(self, workspace_id: str, key: str, before: str, after: str) -> bool:
        """Compare-and-set of the sealed value: False where it is not `before` any more."""
