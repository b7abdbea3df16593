"""Chat histories: the first request is a run's inputs, all that follows its outputs. Messages stay as they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.messages import ROLES, Role
from shared.traces.identity import run_id
from shared.traces.record import RUN_KEYS, UNKNOWN, RawRun
from shared.traces.times import micros

_OWN = frozenset({"messages", "metadata", "feedback", "feedback_stats", "tags", "error", "name", "extra"})
START = ("start_time", "created_at", "timestamp", "created", "time")
END = ("end_time", "ended_at")


def role(message: object) -> Role | None:
    """Of a message of OpenAI, LangChain (plain, serialized, or with `data`) or Anthropic; None for anything else."""
    if not isinstance(message, dict):
        return None
    named = message.get("role") or message.get("type")
    kwargs = message.get("kwargs")
    if message.get("lc") == 1 and isinstance(kwargs, dict):
        path = message.get("id")
        named = kwargs.get("type") or (path[-1] if isinstance(path, list) and path else None)
    if not isinstance(named, str):
        return None
    found = ROLES.get(named.lower().removesuffix("chunk").removesuffix("message"))
    return "tool" if found == "user" and _only_results(message.get("content")) else found


def _only_results(content: object) -> bool:
    """Anthropic hands the results of tools back as the user."""
    if not isinstance(content, list) or not content:
        return False
    return all(isinstance(block, dict) and block.get("type") == "tool_result" for block in content)


def is_messages(value: object) -> bool:
    return isinstance(value, list) and any(role(message) is not None for message in value)


def is_history(value: object) -> bool:
    """A list of messages, or an object with a list of `messages` that is no run."""
    if isinstance(value, dict):
        messages = value.get("messages")
        return isinstance(messages, list) and not RUN_KEYS & {key for key in value if value[key] is not None}
    return is_messages(value)


def history_record(value: Any, name: Callable[[Any], str], id_field: str | None = None) -> RawRun:
    """One run. `name` gives an id to a history that has none. `value` is one that `is_history` accepts."""
    whole: dict[str, Any] = value if isinstance(value, dict) else {"messages": value}
    id_field = id_field or "id"
    known = run_id(whole.get(id_field)) or (name(value), None)
    messages = whole["messages"]
    cut = first_request(messages)
    extra = whole.get("extra")
    fields: dict[str, Any] = {
        "name": whole.get("name"),
        "run_type": "chain",
        "inputs": {"messages": messages[:cut]},
        "outputs": {"messages": messages[cut:]} if cut < len(messages) else None,
        "tags": whole.get("tags"),
        "feedback_stats": _feedback(whole),
        "extra": {**(extra if isinstance(extra, dict) else {}), "metadata": _metadata(whole, id_field)},
        **ended(whole, messages),
    }
    return RawRun(*known, "run", {key: kept for key, kept in fields.items() if kept is not None})


def first_request(messages: Sequence[object]) -> int:
    """How many messages lead up to the first answer: to the last user message before it, a greeting included."""
    roles = [role(message) for message in messages]
    if "user" not in roles:
        return roles.index("assistant") if "assistant" in roles else len(roles)
    last = roles.index("user")
    for place in range(last, len(roles)):
        if roles[place] == "assistant":
            break
        if roles[place] == "user":
            last = place
    return last + 1


def ended(value: Mapping[str, Any], messages: Sequence[object] = ()) -> dict[str, Any]:
    """Times, as the source has them, and outcome. What lies in a file as a text or a talk is over, never pending."""
    first, last = (messages[0], messages[-1]) if messages else (None, None)
    return {
        "start_time": _time(value, START) or _time(first, START),
        "end_time": _time(value, END) or _time(last, START),
        "error": value.get("error"),
        "status": "error" if value.get("error") else "success" if "error" in value else UNKNOWN,
    }


def _time(value: object, names: Sequence[str]) -> Any:
    """The first that can be read as a time."""
    if not isinstance(value, dict):
        return None
    return next((value[name] for name in names if micros(value.get(name)) is not None), None)


def _metadata(whole: Mapping[str, Any], id_field: str) -> dict[str, Any]:
    extra = whole.get("extra")
    given = (whole.get("metadata"), extra.get("metadata") if isinstance(extra, dict) else None)
    metadata = {key: kept for key, kept in whole.items() if key not in _OWN and key != id_field and kept is not None}
    for more in given:
        metadata.update(more if isinstance(more, dict) else {})
    return metadata


def _feedback(whole: Mapping[str, Any]) -> dict[str, Any] | None:
    """As LangSmith's feedback_stats, out of that, scores by key, or a list of {key, score}."""
    for given in (whole.get("feedback_stats"), whole.get("feedback")):
        if isinstance(given, dict):
            return given
        if isinstance(given, list):
            return _stats(given)
    return None


def _stats(given: Sequence[object]) -> dict[str, Any]:
    scores: dict[str, list[float]] = {}
    for one in given:
        if not isinstance(one, dict) or not isinstance(one.get("key"), str):
            continue
        score = one.get("score")
        found = scores.setdefault(one["key"], [])
        if isinstance(score, int | float):
            found.append(float(score))
    return {key: {"n": len(found), "avg": sum(found) / len(found)} for key, found in scores.items() if found}
