"""Which runs a store finds by what it keeps in indexes: a superset, of which the filter's predicate decides.

Runs are in the order of (time, id), where `time` is start_time, or the time of arrival where that is unknown.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from shared.models import Run
from shared.store.documents import encode

TEXT_KEY = 100  # characters of a text that are in an index, as `encode` writes it
Place = tuple[int, str]  # time and id of a run


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must hold of each run; None asks nothing. Sets hold the texts that a field may have.

    Of `project_id` and `trace_id` one must be given. `earliest` and `latest` are start times, both included; a run
    whose start is unknown is in no such window. `ended` leaves out what is pending.
    """

    workspace_id: str
    project_id: str | None = None
    trace_id: str | None = None
    root: bool | None = None
    earliest: int | None = None
    latest: int | None = None
    received_before: int | None = None
    ended: bool = False
    status: frozenset[str] | None = None
    run_type: frozenset[str] | None = None
    name: frozenset[str] | None = None
    thread_id: frozenset[str] | None = None


TEXTS = ("status", "run_type", "name", "thread_id")


class QueryStore(Protocol):
    async def find_runs(
        self, wanted: Wanted, *, after: Place | None = None, newest_first: bool = True, limit: int = 1_000
    ) -> list[Run]:
        """Sorted by (time, id), those past `after` in that order."""

    async def count_runs(self, wanted: Wanted) -> int:
        """How many there are, from an index alone."""


def time_of(run: Run) -> int:
    return run.received_at if run.start_time is None else run.start_time


def place_of(run: Run) -> Place:
    return time_of(run), run.id


def text_key(text: str | None) -> str | None:
    """What an index holds of a text: two texts that differ only after TEXT_KEY characters have one key."""
    return None if text is None else encode(text)[:TEXT_KEY]


def is_exact(text: str) -> bool:
    """Whether no other text has the same key."""
    return len(encode(text)) < TEXT_KEY


def indexed(run: Run) -> dict[str, Any]:
    """The fields by which runs are found, beside those that they are keyed by."""
    return {"time": time_of(run), **{name: text_key(getattr(run, name)) for name in TEXTS}}
