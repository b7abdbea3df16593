"""What the stand-in saw, for tests and benchmarks to read at /stats."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from insights.fake_model import tokens

CUT_OFF = "cut off"  # by the client, before it had its answer


@dataclass(slots=True)
class Seen:
    """One request. `status` 0: it was never answered.

    `hash` is that of all it holds, `item` that of its data, which begins with `opening`; `stage` is its schema's name.
    """

    path: str
    hash: str
    model: str = ""
    stage: str = ""
    item: str = ""
    opening: str = ""
    attempt: int = 1
    fault: str | None = None
    status: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = field(default_factory=time.monotonic)
    outcome: str = ""


class Counters:
    """For one event loop. `write` gets a line of JSON for each request that ended."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write
        self.reset()

    def reset(self) -> None:
        self.in_flight = self.requests = self.repeated = 0
        self._paths: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._models: dict[str, Counter[str]] = {}
        self._again: Counter[str] = Counter()
        self._last: dict[str, str] = {}
        self._attempts: Counter[tuple[str, str, str]] = Counter()

    def begin(self, seen: Seen) -> None:
        self.in_flight += 1
        self.requests += 1
        self._paths[seen.path] += 1
        if (before := self._last.get(seen.hash)) is not None:
            self.repeated += 1
            self._again[before] += 1
        self._last[seen.hash] = "open"

    def attempt(self, seen: Seen) -> int:
        """From 1: how often this stage asked about this item."""
        key = (seen.path, seen.stage, seen.item)
        self._attempts[key] += 1
        return self._attempts[key]

    def end(self, seen: Seen) -> None:
        """`seen.outcome`: its status, or that it was cut off."""
        self.in_flight = max(0, self.in_flight - 1)  # a reset may have come between
        seen.outcome = seen.outcome or str(seen.status)
        self._statuses[seen.outcome] += 1
        self._last[seen.hash] = "fault" if seen.fault and seen.outcome != CUT_OFF else seen.outcome
        if seen.fault:
            self._faults[seen.fault] += 1
        model = self._models.setdefault(seen.model, Counter())
        model.update(calls=1, prompt_tokens=seen.prompt_tokens, completion_tokens=seen.completion_tokens)
        seen.seconds = round(time.monotonic() - seen.seconds, 4)
        if self._write is not None:
            self._write(json.dumps(asdict(seen)) + "\n")

    def figures(self) -> dict[str, Any]:
        """`repeated_after`: how the request before it, with the same content, had ended."""
        return {
            "requests": self.requests,
            "in_flight": self.in_flight,
            "distinct": len(self._last),
            "repeated": self.repeated,
            "repeated_after": dict(self._again),
            "cut_off": self._statuses[CUT_OFF],
            "by_path": dict(self._paths),
            "by_status": dict(self._statuses),
            "by_fault": dict(self._faults),
            "by_model": {name: dict(counts) for name, counts in self._models.items()},
            "prompt_tokens": sum(counts["prompt_tokens"] for counts in self._models.values()),
            "completion_tokens": sum(counts["completion_tokens"] for counts in self._models.values()),
            "tokens_by": tokens.counted_by(),
        }
