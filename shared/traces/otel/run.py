"""A span as a run."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from shared.traces.otel import genai, langsmith, logfire, openinference, openllmetry
from shared.traces.otel.kinds import run_type
from shared.traces.otel.messages import Body
from shared.traces.otel.metadata import metadata, parameters
from shared.traces.otel.span import Event, Span
from shared.traces.otel.tree import Tree
from shared.traces.record import RawRun
from shared.traces.times import text_of

_CONVENTIONS = (langsmith, genai, openinference, openllmetry, logfire)  # the first that tells a body is believed
_INPUTS: tuple[Callable[[Span], Body | None], ...] = tuple(one.inputs for one in _CONVENTIONS)
_OUTPUTS: tuple[Callable[[Span], Body | None], ...] = tuple(one.outputs for one in _CONVENTIONS)
_NAMES = ("langsmith.trace.name", "traceloop.entity.name")
_TOOLS = ("gen_ai.tool.name", "tool.name")
_EXCEPTION = "exception"


def runs_of(spans: Sequence[Span], project: str | None = None) -> Iterator[RawRun]:
    """A post of each span. `project` is the name of that of spans which name none."""
    tree = Tree(spans)
    for span in spans:
        fields = {**_fields(span), **_place(span, tree), **_project(span, project)}
        yield RawRun(tree.id(span), None, "post", {name: value for name, value in fields.items() if value is not None})


def _fields(span: Span) -> dict[str, Any]:
    kind = run_type(span)
    error = _error(span)
    return {
        "name": span.text(*_NAMES, *(_TOOLS if kind == "tool" else ())) or span.name,
        "run_type": kind,
        "start_time": _time(span.start),
        "end_time": _time(span.end),
        "inputs": _first(_INPUTS, span),
        "outputs": _first(_OUTPUTS, span),
        "error": error,
        "status": "error" if error else None,
        "tags": langsmith.tags(span),
        "events": [_event(event) for event in span.events if event.name not in genai.EVENTS] or None,
        "extra": {"metadata": metadata(span), "invocation_params": parameters(span)},
    }


def _place(span: Span, tree: Tree) -> dict[str, Any]:
    return {
        "trace_id": tree.trace(span),
        "parent_run_id": tree.parent(span),
        "dotted_order": tree.dotted_order(span),
    }


def _project(span: Span, project: str | None) -> dict[str, Any]:
    """By name, or by id if that is one."""
    if name := span.text("langsmith.trace.session_name"):
        return {"session_name": name}
    try:
        return {"session_id": str(UUID(span.text("langsmith.trace.session_id") or ""))}
    except ValueError:
        return {"session_name": project}


def _first(read: Iterable[Callable[[Span], Body | None]], span: Span) -> Body | None:
    return next((found for one in read if (found := one(span)) is not None), None)


def _error(span: Span) -> str | None:
    """Of the last exception, which a span that is fine may hold too, or the status."""
    if span.failed is False:
        return None
    exceptions = [event for event in span.events if event.name == _EXCEPTION]
    if exceptions:
        return _told(exceptions[-1])
    return (span.message or "error") if span.failed else None


def _told(exception: Event) -> str:
    """Message and stack; the stack of what was never raised is but its message again."""
    kind, message, stack = (exception.attributes.get(f"exception.{name}") for name in ("type", "message", "stacktrace"))
    found = message if isinstance(message, str) and message else str(kind or "error")
    if not isinstance(stack, str) or stack.strip() in ("", found.strip(), f"{kind}: {found}".strip()):
        return found
    return f"{found}\n\n{stack}"


def _event(event: Event) -> dict[str, Any]:
    return {"name": event.name, "time": _time(event.time), "kwargs": dict(event.attributes)}


def _time(time: int | None) -> str | None:
    return None if time is None else text_of(time)
