"""A run's fields, as its source has them, into the document and the bodies that are stored; and back, for a merge."""

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

from shared.bodies import Body
from shared.llm.prices import Prices
from shared.models import BodyPart, Feedback, Run
from shared.traces.identity import run_id
from shared.traces.record import UNKNOWN
from shared.traces.times import micros, segment, text_of
from shared.traces.usage import number, usage
from shared.wording import clean

ERROR_LENGTH = 500
PARTS: tuple[BodyPart, ...] = get_args(BodyPart)
_THREADS = ("session_id", "conversation_id", "thread_id")
_KEPT = ("name", "run_type", "dotted_order", "parent_run_id", "trace_id", "thread_id")
READ: tuple[BodyPart, ...] = ("outputs", "extra", "error", "events")  # what a document is made from


def document(fields: Mapping[str, Any], stored: Run | None = None, prices: Prices | None = None, **keys: Any) -> Run:
    """`keys` are workspace_id, id, project_id, source_id and received_at. `stored` fills in tokens, costs, feedback.

    Bodies are of class Body. Values of a wrong type are unknown. A run whose trace is not told has its parent's id as
    `trace_id`, or its own.
    """
    fields = {**fields, **{part: fields[part].value for part in READ if part in fields}}
    error = error_text(fields.get("error"))
    start = micros(fields.get("start_time"))
    end = micros(fields.get("end_time"))
    dotted = _dotted(fields)
    parent, trace = fields.get("parent_run_id"), fields.get("trace_id")
    if dotted and not (start and trace and (parent or len(dotted) == 1)):
        places = [found for part in dotted if (found := segment(part))]
        parent = parent or (_id(places[-2][1]) if len(places) > 1 else None)
        trace = trace or (_id(places[0][1]) if places else None)
        start = places[-1][0] if start is None and places else start
    parent = parent if parent != keys["id"] else None
    metadata = _metadata(fields)
    feedback = _feedback(fields.get("feedback_stats"))
    before = None if feedback else stored
    known = {
        "parent_run_id": parent,
        "trace_id": trace or parent or keys["id"],
        "dotted_order": ".".join(dotted) or None,
        "thread_id": _thread(metadata) or _text(fields.get("thread_id")),
        "name": _text(fields.get("name")) or "",
        "run_type": _text(fields.get("run_type")) or "chain",
        "start_time": start,
        "end_time": end,
        "status": _status(fields, error, start, end),
        "error": first_line(error),
        "tags": _tags(fields.get("tags")),
        "metadata": metadata,
        "first_token_time": _first_token(fields.get("events")) or micros(fields.get("first_token_time")),
        "feedback": before.feedback if before else feedback,
        "told_feedback": before.told_feedback if before else None,
    }
    return Run(**keys, **known, **usage(fields, stored, prices))


def packed(fields: Mapping[str, Any]) -> dict[BodyPart, bytes]:
    return {part: fields[part].packed for part in PARTS if part in fields}


def fields_of(run: Run, parts: Mapping[BodyPart, bytes]) -> dict[str, Any]:
    """What a stored run tells of its source, but for what may be only our default: a later record may know better."""
    fields: dict[str, Any] = {part: Body(packed=body) for part, body in parts.items()}
    defaults = {"name": "", "run_type": "chain", "trace_id": run.parent_run_id or run.id}
    fields |= {name: kept for name in _KEPT if (kept := getattr(run, name)) not in (None, defaults.get(name))}
    for name in ("start_time", "end_time", "first_token_time"):
        if (time := getattr(run, name)) is not None:
            fields[name] = text_of(time)
    if run.tags:
        fields["tags"] = list(run.tags)
    if run.status == "error":
        fields["status"] = "error"
    return fields


def error_text(value: object) -> str | None:
    """The whole error; None where there is none."""
    if not value:
        return None
    return value if isinstance(value, str) else json.dumps(value)


def first_line(error: str | None) -> str | None:
    lines = (error or "").strip().splitlines()
    return clean(lines[0])[:ERROR_LENGTH] if lines else None


def _status(
    fields: Mapping[str, Any], error: str | None, start: int | None, end: int | None
) -> Literal["success", "error", "pending"] | None:
    given = fields.get("status")
    if given == UNKNOWN:
        return None
    if given in ("success", "error", "pending"):
        return given  # type: ignore[no-any-return]  # one of the three, as was just seen
    if error:
        return "error"
    if end is not None or fields.get("outputs"):
        return "success"
    return "pending" if start is not None else "success"


def _first_token(events: object) -> int | None:
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("name") == "new_token":
            return micros(event.get("time"))
    return None


def _dotted(fields: Mapping[str, Any]) -> list[str]:
    dotted = fields.get("dotted_order")
    return clean(dotted).split(".") if isinstance(dotted, str) else []


def _id(text: str) -> str | None:
    known = run_id(text)
    return known[0] if known else None


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, int) and value.bit_length() > 4_096:  # Python refuses to write longer ones
        return None
    return clean(str(value))


def _metadata(fields: Mapping[str, Any]) -> dict[str, Any]:
    extra = fields.get("extra")
    metadata = extra.get("metadata") if isinstance(extra, dict) else None
    return {clean(key): value for key, value in metadata.items()} if isinstance(metadata, dict) else {}


def _thread(metadata: Mapping[str, Any]) -> str | None:
    return next((found for key in _THREADS if (found := _text(metadata.get(key)))), None)


def _tags(value: object) -> tuple[str, ...]:
    return tuple(clean(tag) for tag in value if isinstance(tag, str)) if isinstance(value, list) else ()


def _feedback(value: object) -> dict[str, Feedback]:
    found: dict[str, Feedback] = {}
    for key, stats in value.items() if isinstance(value, dict) else ():
        inner = stats if isinstance(stats, dict) else {"n": 1, "avg": stats}
        count, average = number(inner.get("n")), number(inner.get("avg"))
        if count is not None and count >= 0 and (average is not None or isinstance(stats, dict)):
            found[clean(key)] = Feedback(n=int(count), avg=average)
    return found
