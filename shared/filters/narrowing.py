"""What of a filter a store's indexes can answer."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from shared.filters.nodes import And, Compare, In, Node
from shared.filters.values import Scalar, is_uuid
from shared.store.queries import TEXTS, Wanted, is_exact


def narrowed(wanted: Wanted, node: Node) -> tuple[Wanted, bool]:
    """No run for which `node` holds is outside; and whether it holds for every run that is inside."""
    if isinstance(node, And):
        exact = True
        for item in node.items:
            wanted, one = narrowed(wanted, item)
            exact = exact and one
        return wanted, exact
    if isinstance(node, In) and node.field in TEXTS:
        return _among(wanted, node.field, node.values)
    if isinstance(node, Compare) and node.value is not None:
        return _compared(wanted, node)
    return wanted, False


def _compared(wanted: Wanted, node: Compare) -> tuple[Wanted, bool]:
    value, is_equal = node.value, node.comparator == "eq"
    if node.field in TEXTS and is_equal:
        return _among(wanted, node.field, (value,))
    if node.field == "status" and value == "pending":  # neq
        return replace(wanted, ended=True), True
    if node.field == "is_root" and isinstance(value, bool):
        root = value == is_equal
        return (replace(wanted, root=root), True) if wanted.root in (None, root) else (wanted, False)
    if node.field == "trace_id" and is_equal and is_uuid(value) and wanted.trace_id in (None, value):
        return replace(wanted, trace_id=str(value)), True
    if node.field == "start_time" and isinstance(value, int) and node.comparator != "neq":
        return _windowed(wanted, node.comparator, value), True
    return wanted, False


def _among(wanted: Wanted, field: str, values: Iterable[Scalar]) -> tuple[Wanted, bool]:
    texts = {value for value in values if isinstance(value, str)}
    if len(texts) < len(set(values)):  # null is among them
        return wanted, False
    before: frozenset[str] | None = getattr(wanted, field)
    left: dict[str, Any] = {field: frozenset(texts if before is None else texts & before)}
    return replace(wanted, **left), all(is_exact(text) for text in texts)


def _windowed(wanted: Wanted, comparator: str, value: int) -> Wanted:
    first = {"gt": value + 1, "gte": value, "eq": value}.get(comparator)
    last = {"lt": value - 1, "lte": value, "eq": value}.get(comparator)
    return replace(
        wanted,
        earliest=max((bound for bound in (wanted.earliest, first) if bound is not None), default=None),
        latest=min((bound for bound in (wanted.latest, last) if bound is not None), default=None),
    )
