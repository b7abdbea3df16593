"""What a summary prompt can name of an item: `run` (its latest root run) and `all_thread_messages`."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.bodies import unpack
from shared.content import messages_of
from shared.errors import ItemError
from shared.models import BodyPart, Item, Run
from shared.prompts import Prompt
from shared.store import Store

PARTS: tuple[BodyPart, ...] = ("inputs", "outputs", "error")
ALL_MESSAGES = "all_thread_messages"


Context = dict[str, Any]


async def load_contexts(store: Store, items: Sequence[Item], prompt: Prompt) -> list[Context | ItemError]:
    """One context an item, in order, or why it can't be read.

    Bodies of earlier traces of a thread are read only if the prompt names them.
    """
    if not items:
        return []
    workspace_id = items[0].workspace_id
    whole = any(path.split(".")[0] == ALL_MESSAGES for path in prompt.paths)
    wanted = [run_id for item in items for run_id in (item.run_ids if whole else item.run_ids[-1:])]
    runs = await store.runs(workspace_id, [item.run_ids[-1] for item in items])
    packed = await store.bodies(workspace_id, wanted, PARTS)
    return [_read(item, runs, packed, whole) for item in items]


def _read(
    item: Item, runs: Mapping[str, Run], packed: Mapping[str, Mapping[BodyPart, bytes]], whole: bool
) -> Context | ItemError:
    try:
        bodies = {
            run_id: {part: unpack(body) for part, body in packed.get(run_id, {}).items()}
            for run_id in (item.run_ids if whole else item.run_ids[-1:])
        }
    except ItemError as error:
        return error
    return _context(item, runs, bodies, whole)


def _context(item: Item, runs: Mapping[str, Run], bodies: Mapping[str, Mapping[BodyPart, Any]], whole: bool) -> Context:
    run, parts = runs.get(item.run_ids[-1]), bodies.get(item.run_ids[-1], {})
    shown: dict[str, Any] = {} if run is None else run.model_dump(mode="json", exclude={"workspace_id", "feedback"})
    shown |= {
        "inputs": parts.get("inputs"),
        "outputs": parts.get("outputs"),
        "error": parts.get("error"),
        "feedback": {} if run is None else {key: found.avg for key, found in run.feedback.items()},
    }
    return {"run": shown} | ({ALL_MESSAGES: _thread(item, bodies)} if whole else {})


def _thread(item: Item, bodies: Mapping[str, Mapping[BodyPart, Any]]) -> list[Any]:
    """The messages of all traces in order; a trace that begins with what came before it is not told twice."""
    told: list[Any] = []
    for run_id in item.run_ids:
        parts = bodies.get(run_id, {})
        for messages in (messages_of(parts.get("inputs")), messages_of(parts.get("outputs"))):
            told = messages if messages[: len(told)] == told else told + messages
    return told
