r"""The run filters of LangSmith's API, over one run and its bodies: `and(eq(is_root, true), gt(latency, "5s"))`.

    expression  and(e, …) | or(e, …) | not(e) | eq|neq|gt|gte|lt|lte(field, value) | in(field, [value, …])
                | like(field, "%part_%") | has(tags, "beta") | has(metadata, '{"key": "value"}')
                | exists(metadata, "key") | search("words") | search(field, "words")
    value       "text" | 'text' | number | true | false | null      escapes: \" \' \\

`like` minds upper and lower case; % is any text, _ is one character, and a backslash (written \\) takes either as it
is. What a run does not know is null: no gt, lt, like or eq with a value holds for it, and neq does.

`search` wants every word somewhere in the run's name, error, tags, metadata, inputs and outputs, whatever their case.

`metadata_key` and `metadata_value`, likewise of input and output, and `feedback_key` with `feedback_score` speak of one
entry where they stand in one `and`: `and(eq(metadata_key, "env"), eq(metadata_value, "prod"))`; see `entries.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.filters.nodes import Node
from shared.filters.parser import parse_node
from shared.models import BodyPart, Run

__all__ = ["Filter", "parse"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter; `root` is its syntax tree, of which a store answers what it can (`narrowing.py`)."""

    root: Node

    @property
    def parts(self) -> frozenset[BodyPart]:
        """The bodies that it may have to look at."""
        return self.root.parts

    def matches(self, run: Run, bodies: Mapping[BodyPart, Any] | None = None) -> bool | None:
        """None where that depends on `bodies`, which are None as long as nobody has read them."""
        return self.root.matches(run, bodies)

    def render(self) -> str:
        return self.root.render()


def parse(text: str) -> Filter:
    """Raises FilterError, which shows the place and what was perhaps meant."""
    return Filter(parse_node(text))
