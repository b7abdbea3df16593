"""Runs, traces and threads as LangSmith's newer API, v2, shows them: what was not asked for is left out."""

from collections.abc import Collection, Mapping, Sequence
from math import fsum
from typing import Any

from services.gateway.wire_runs import run_body
from shared.models import BodyPart, Run
from shared.prompts import as_text
from shared.run_stats import percentile
from shared.store.queries import time_of
from shared.traces.times import text_of

PREVIEW = 200  # characters
_RENAMED = {
    "project_id": "session_id",
    "latency_seconds": "latency",
    "manifest": "serialized",
    "is_in_dataset": "in_dataset",
}
_DETAILS = ("prompt_token_details", "completion_token_details", "prompt_cost_details", "completion_cost_details")
_BODIES: Mapping[str, BodyPart] = {
    "inputs": "inputs",
    "inputs_preview": "inputs",
    "outputs": "outputs",
    "outputs_preview": "outputs",
    "extra": "extra",
    "error": "error",
    "events": "events",
    "manifest": "serialized",
}
IN_AGGREGATES = frozenset({"total_tokens", "total_cost", "first_token_time"})


def parts_of(selects: Collection[str]) -> list[BodyPart]:
    return sorted({_BODIES[name] for name in selects if name in _BODIES})


def run_item(run: Run, bodies: Mapping[BodyPart, Any], selects: Collection[str], files: Mapping[str, Any]) -> Any:
    """`selects` are names in small letters; without any the id is all there is."""
    old = run_body(run, bodies)
    known = {
        **old,
        **{new: old[name] for new, name in _RENAMED.items()},
        **{name: {"raw": old[name]} if old[name] else None for name in _DETAILS},
        "status": run.status and run.status.upper(),
        "run_type": run.run_type.upper(),
        "is_root": run.parent_run_id is None,
        "error_preview": run.error,
        "inputs_preview": preview(bodies.get("inputs")),
        "outputs_preview": preview(bodies.get("outputs")),
        "attachments": {key.removeprefix("attachment."): one["presigned_url"] for key, one in files.items()},
    }
    return {"id": run.id} | {name: known.get(name) for name in selects if known.get(name) is not None}


def trace_item(root: Run, bodies: Mapping[BodyPart, Any], selects: Collection[str], files: Mapping[str, Any]) -> Any:
    own = [name for name in selects if name not in IN_AGGREGATES]
    aggregates = run_item(root, {}, [name for name in selects if name in IN_AGGREGATES], {})
    del aggregates["id"]
    return {"root_run": run_item(root, bodies, own, files), "trace_aggregates": aggregates}


def thread_item(roots: Sequence[Run], first: Mapping[BodyPart, Any], last: Mapping[BodyPart, Any]) -> dict[str, Any]:
    """Of the thread's root runs, oldest first; `first` and `last` are bodies of the first and the last."""
    latencies = [root.latency for root in roots if root.latency is not None]
    failed = [root for root in roots if root.status == "error"]
    tokens = [root.total_tokens for root in roots if root.total_tokens is not None]
    costs = [root.total_cost for root in roots if root.total_cost is not None]
    return {
        "thread_id": roots[-1].thread_id,
        "trace_id": roots[-1].trace_id,
        "count": len(roots),
        "first_trace_id": roots[0].trace_id,
        "last_trace_id": roots[-1].trace_id,
        "first_inputs": preview(first.get("inputs")),
        "last_outputs": preview(last.get("outputs")),
        "last_error": failed[-1].error if failed else None,
        "num_errored_turns": len(failed),
        "latency_p50": percentile(latencies, 0.5),
        "latency_p99": percentile(latencies, 0.99),
        "start_time": text_of(time_of(roots[-1])),
        "min_start_time": text_of(time_of(roots[0])),
        "max_start_time": text_of(time_of(roots[-1])),
        "total_tokens": sum(tokens) if tokens else None,
        "total_cost": fsum(costs) if costs else None,
    }


def preview(value: Any) -> str | None:
    return None if value is None else as_text(value)[:PREVIEW]
