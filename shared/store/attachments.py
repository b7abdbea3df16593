"""Attachments of runs: files that a client sends beside a trace, read by nobody but people."""

from collections.abc import Collection, Sequence
from typing import Protocol

from shared.models import Attachment, StoredAttachment


class AttachmentStore(Protocol):
    async def save_attachments(self, attachments: Sequence[StoredAttachment]) -> None:
        """Insert or replace, by run and name; whether the run is stored does not matter."""

    async def attachments(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, list[Attachment]]:
        """By run, sorted by name; a run that has none is not in it."""

    async def attachment(self, workspace_id: str, run_id: str, name: str) -> StoredAttachment | None: ...

    async def signing_key(self) -> bytes:
        """32 random bytes that the deployment keeps for itself: made once, the same for every process."""
