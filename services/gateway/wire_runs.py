"""Runs as LangSmith's clients read them. What is not known is null; times have their zone."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, get_args

from shared.bodies import unpack
from shared.errors import ItemError
from shared.models import BodyPart, Run
from shared.store.documents import encode
from shared.store.queries import time_of
from shared.traces.identity import run_id
from shared.traces.times import segment, text_of

PARTS: tuple[BodyPart, ...] = get_args(BodyPart)
_ALWAYS = frozenset({"id", "name", "run_type", "start_time", "trace_id", "session_id"})
_PLAIN = ("id", "trace_id", "parent_run_id", "thread_id", "name", "run_type", "status")
_USAGE = ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_cost", "completion_cost", "total_cost")
_DETAILS = ("prompt_token_details", "completion_token_details", "prompt_cost_details", "completion_cost_details")


def run_body(
    run: Run, bodies: Mapping[BodyPart, Any], select: Collection[str] | None = None, **more: Any
) -> dict[str, Any]:
    """`bodies` are the values of its parts. `select` names fields; it hides neither details nor what clients need."""
    error = bodies.get("error") or run.error
    error = error if error is None or isinstance(error, str) else encode(error)
    fields: dict[str, Any] = {
        **{name: getattr(run, name) for name in (*_PLAIN, *_USAGE)},
        **{name: getattr(run, name) or None for name in _DETAILS},
        "session_id": run.project_id,
        "parent_run_ids": ancestors(run),
        "dotted_order": run.dotted_order or "",
        "start_time": text_of(time_of(run)),
        "end_time": _time(run.end_time),
        "first_token_time": _time(run.first_token_time),
        "latency": run.latency,
        "error": error,
        "inputs": {},
        "outputs": None,
        "extra": {},
        "events": [],
        "serialized": None,
        **{part: value for part, value in bodies.items() if part != "error"},
        "tags": list(run.tags),
        "metadata": run.metadata,
        "feedback_stats": {key: {"n": one.n, "avg": one.avg} for key, one in run.feedback.items()} or None,
        "reference_example_id": None,
        "in_dataset": False,
        "app_path": None,
        **more,
    }
    return fields if select is None else {name: value for name, value in fields.items() if _shows(name, select)}


def whole_body(run: Run, packed: Mapping[BodyPart, bytes]) -> dict[str, Any]:
    """With all its bodies, but for those that are damaged."""
    bodies: dict[BodyPart, Any] = {}
    for part, body in packed.items():
        with suppress(ItemError):
            bodies[part] = unpack(body)
    return run_body(run, bodies)


def parts_of(select: Collection[str] | None) -> list[BodyPart]:
    """The bodies that must be read for these fields."""
    return [part for part in PARTS if select is None or part in select]


def ancestors(run: Run) -> list[str]:
    """The ids of the runs around it, outermost first."""
    places = (segment(part) for part in (run.dotted_order or "").split(".")[:-1])
    found = [known[0] for place in places if place and (known := run_id(place[1]))]
    return found or ([run.parent_run_id] if run.parent_run_id else [])


def _shows(name: str, select: Collection[str]) -> bool:
    return name in select or name in _ALWAYS or name in _DETAILS


def _time(time: int | None) -> str | None:
    return None if time is None else text_of(time)
