"""Saved configurations of jobs."""

from typing import Protocol

from shared.models import SavedConfig


class ConfigStore(Protocol):
    async def insert_config(self, config: SavedConfig) -> bool:
        """True if it is new."""

    async def config(self, workspace_id: str, config_id: str) -> SavedConfig | None: ...

    async def configs(self, workspace_id: str, project_id: str, *, limit: int = 1_000) -> list[SavedConfig]:
        """Newest first (created_at, id)."""

    async def replace_config(self, config: SavedConfig, version: int) -> bool:
        """Compare-and-set: only if the stored one has this version. False if another was faster, or it is gone."""

    async def delete_config(self, workspace_id: str, config_id: str) -> None: ...
