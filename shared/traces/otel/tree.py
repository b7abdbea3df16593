"""Ids of the runs of a request's spans, and where each stands in its trace.

A trace's id is its UUID; a run's is made of the trace's and the span's, so that spans of one trace that come in several
requests find one another. LangSmith's own attributes win over both, for a span and all below it in the same request.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID, uuid5

from shared.traces.identity import NAMESPACE, run_id
from shared.traces.otel.span import SDK, Span
from shared.traces.times import text_of

DEEPEST = 100  # levels that a dotted_order tells


class Tree:
    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = {(span.trace_id, span.span_id): span for span in spans}

    def id(self, span: Span) -> str:
        return _given(span, "langsmith.span.id") or _run_id(span.trace_id, span.span_id)

    def parent(self, span: Span) -> str | None:
        if given := _given(span, "langsmith.span.parent_id"):
            return given
        if (parent_id := _parent_id(span)) is None:
            return None
        if (parent := self._spans.get((span.trace_id, parent_id))) is not None:
            return self.id(parent)
        return _trace(span) if _names_root(span) else _run_id(span.trace_id, parent_id)

    def trace(self, span: Span) -> str:
        given = (_given(one, "langsmith.trace.id") for one in islice(self._upwards(span), DEEPEST))
        return next((found for found in given if found), _trace(span))

    def dotted_order(self, span: Span) -> str | None:
        """None where it is not known: not all that is around the span came in this request, with its start."""
        path: list[str] = []
        for one in islice(self._upwards(span), DEEPEST):
            if told := one.text("langsmith.span.dotted_order"):
                return ".".join([told, *reversed(path)])
            if one.start is None or _given(one, "langsmith.span.parent_id"):
                return None
            path.append(f"{_stamp(one.start)}{self.id(one)}")
            if _parent_id(one) is None:
                return ".".join(reversed(path))
        return None

    def _upwards(self, span: Span) -> Iterator[Span]:
        """The span and what is around it in this request; without an end where that is a ring."""
        found: Span | None = span
        while found is not None:
            yield found
            parent_id = _parent_id(found)
            found = self._spans.get((found.trace_id, parent_id)) if parent_id else None


def _parent_id(span: Span) -> bytes | None:
    """None of a root, of which SDKs of before said that it lies in itself."""
    return None if span.scope == SDK and _names_root(span) else span.parent_id


def _names_root(span: Span) -> bool:
    """As a parent, the SDK gives the beginning of a run's UUID; of a root's, that is the trace's."""
    return span.parent_id == span.trace_id[:8]


def _given(span: Span, name: str) -> str | None:
    known = run_id(span.text(name))
    return known[0] if known else None


def _trace(span: Span) -> str:
    return str(UUID(bytes=span.trace_id))


def _run_id(trace_id: bytes, span_id: bytes) -> str:
    return str(uuid5(NAMESPACE, f"otel {trace_id.hex()} {span_id.hex()}"))


def _stamp(time: int) -> str:
    """As in 20260214T235902184025Z."""
    return re.sub("[-:.]", "", text_of(time // 1_000_000 * 1_000_000)[:19]) + f"{time % 1_000_000:06}Z"
