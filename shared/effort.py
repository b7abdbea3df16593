"""How much an agent laboured, as a rank among its fellows: not fitted to anything, and never a verdict.

Measured on scored runs: it tells failed from successful ones with an AUROC of .70 to .97 on most sets, .50 on one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.models import Conduct

FACTS: tuple[Callable[[Conduct], float], ...] = (
    lambda conduct: conduct.messages,
    lambda conduct: conduct.answer_length,
    lambda conduct: conduct.repeated_results or 0,
    lambda conduct: conduct.repeated_calls,
    lambda conduct: conduct.tool_errors or 0,
    lambda conduct: conduct.last_result_error or 0,
    lambda conduct: conduct.out_of_budget,
)
Column = np.ndarray[Any, np.dtype[np.float64]]


def effort(conducts: Sequence[Conduct | None], errors: Sequence[bool | None]) -> list[float | None]:
    """Of each item the mean rank, 0..1, of seven facts and of its run's error, in order; ties get their middle.

    None where an item has no facts, and of all where they are the same: then nothing is ranked.
    """
    known = [at for at, conduct in enumerate(conducts) if conduct is not None]
    rows = [conduct for conduct in conducts if conduct is not None]
    columns = [np.array([float(fact(row)) for row in rows]) for fact in FACTS]
    columns.append(np.array([float(errors[at] or False) for at in known]))
    if not any(column.size and np.ptp(column) > 0 for column in columns):
        return [None] * len(conducts)
    found: list[float | None] = [None] * len(conducts)
    for at, rank in zip(known, np.mean([_rank(column) for column in columns], axis=0), strict=True):
        found[at] = float(rank)
    return found


def _rank(column: Column) -> Column:
    """The place of each value among all, 0..1."""
    _, place, counts = np.unique(column, return_inverse=True, return_counts=True)
    ranks: Column = (np.cumsum(counts) - counts / 2)[place] / column.size
    return ranks
