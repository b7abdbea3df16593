"""What a few traces hold: the variables that a summary prompt may name, and which of them tell traces apart."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.prompts import as_text

PARTS = ("inputs", "outputs")
MOST = 6  # variables of a part; of more, the part is taken whole
COMMON, RARE = 0.8, 0.1  # share of traces that have a variable
THREADED = 0.5
FEW = 3  # traces from which on a variable that is the same in all of them tells nothing
_NAME = re.compile(r"[^\s.{}]{1,100}")  # what a prompt can write


@dataclass(frozen=True, slots=True)
class Look:
    """traces: looked at. variables: dotted path → share of traces that have it. constant: those that never differ.

    errors: share of traces that ended in one. threads: share of traces that are one of several of a thread.
    """

    traces: int
    variables: dict[str, float]
    constant: frozenset[str]
    errors: float
    threads: float

    @property
    def threaded(self) -> bool:
        """Whether a conversation is several traces."""
        return self.threads >= THREADED

    def chosen(self) -> list[str]:
        """The paths that a prompt reads by rule: the conversation where there is one, else all that differs."""
        if self.threaded:
            return ["all_thread_messages"]
        paths = [path for part in PARTS for path in self._of(f"run.{part}")]
        return paths + (["run.error"] if self.errors else [])

    def _of(self, part: str) -> list[str]:
        if self.variables.get(f"{part}.messages", 0.0) >= COMMON:
            return [f"{part}.messages"]
        within = [
            path
            for path, share in self.variables.items()
            if path.startswith(f"{part}.") and share >= RARE and path not in self.constant
        ]
        return within if 0 < len(within) <= MOST else [part]


def look(contexts: Iterable[Mapping[str, Any]], threads: float) -> Look:
    """Of what prompts can name in each trace (`Loaded.context`); `threads` is known to whoever drew them."""
    count, failed = 0, 0
    found: Counter[str] = Counter()
    values: dict[str, set[int]] = {}
    for context in contexts:
        run = context["run"]
        count += 1
        failed += bool(run.get("error"))
        for path, value in _variables(run):
            found[path] += 1
            values.setdefault(path, set()).add(hash(as_text(value)))
    constant = {path for path, seen in values.items() if len(seen) == 1 and found[path] >= FEW}
    shares = {path: n / count for path, n in sorted(found.items())}
    return Look(count, shares, frozenset(constant), failed / count if count else 0.0, threads)


def _variables(run: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Below inputs and outputs, of one level: deeper ones come with them."""
    for part in PARTS:
        inside = run.get(part)
        for name, value in inside.items() if isinstance(inside, dict) else ():
            if isinstance(name, str) and _NAME.fullmatch(name) and value not in (None, "", [], {}):
                yield f"run.{part}.{name}", value
