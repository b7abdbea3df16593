"""What is asked of a store about workspaces and API keys."""

from typing import Protocol

from shared.access import ApiKey, Workspace


class AccessStore(Protocol):
    async def insert_workspace(self, workspace: Workspace) -> None:
        """The first of its id stays."""

    async def workspaces(self) -> list[Workspace]:
        """Those that were made by name, sorted by (created_at, id)."""

    async def insert_api_key(self, key: ApiKey) -> None: ...

    async def api_key(self, digest: str) -> ApiKey | None:
        """Also a revoked one. The only question that names no workspace: it finds out which one."""

    async def api_keys(self, workspace_id: str | None = None) -> list[ApiKey]:
        """Sorted by (created_at, id), with the revoked; those of every workspace if none is given."""

    async def has_api_keys(self) -> bool:
        """Whether one was ever made, in any workspace."""

    async def note_api_key_use(self, digest: str, at: int) -> None: ...

    async def revoke_api_key(self, workspace_id: str, key_id: str, at: int) -> bool:
        """False where the workspace has no such key, or it is revoked already."""
