"""What a store knows of projects."""

from typing import Any, Protocol

from shared.models import Project


class ProjectStore(Protocol):
    async def insert_project(self, project: Project) -> Project:
        """The stored project of this id: the given one, or the one that came first."""

    async def project(self, workspace_id: str, project_id: str) -> Project | None: ...

    async def project_named(self, workspace_id: str, name: str) -> Project | None:
        """The oldest of those with this name."""

    async def projects(self, workspace_id: str) -> list[Project]:
        """All of them, newest first (created_at, id)."""

    async def update_project(self, workspace_id: str, project_id: str, **changes: Any) -> None:
        """Set these fields; a project that is not there stays so."""

    async def delete_project_runs(self, workspace_id: str, project_id: str, limit: int = 500) -> int:
        """Delete up to `limit` of its runs, with all that belongs to each; how many there were."""

    async def delete_project(self, workspace_id: str, project_id: str) -> None:
        """The project with its own feedback: its jobs and runs go before it (`shared/removing.py`)."""
