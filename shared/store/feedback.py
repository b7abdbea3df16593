"""What a store knows of feedback."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from shared.feedback import FeedbackRecord, WantedFeedback
from shared.models import Run


class FeedbackStore(Protocol):
    async def save_feedback(self, records: Sequence[FeedbackRecord]) -> None:
        """Insert, or replace what was not modified later; whether their runs are stored does not matter."""

    async def feedback_by_id(self, workspace_id: str, feedback_ids: Collection[str]) -> dict[str, FeedbackRecord]:
        """What does not exist is not in it."""

    async def feedback(self, wanted: WantedFeedback, *, offset: int = 0, limit: int = 100) -> list[FeedbackRecord]:
        """Newest first (created_at, id)."""

    async def update_feedback(self, workspace_id: str, feedback_id: str, **changes: Any) -> bool:
        """Set these fields. False where it does not exist."""

    async def delete_feedback(self, workspace_id: str, feedback_id: str) -> None: ...

    async def feedback_scores(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, dict[str, list[Any]]]:
        """By run and key, in any order; a run without feedback is not in it."""

    async def place_feedback(self, runs: Sequence[Run]) -> None:
        """Give all feedback of these runs their trace and project."""
