"""What a summary prompt can name of an item: `run` (its latest root run) and `all_thread_messages`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.bodies import unpack
from shared.content import messages_of
from shared.models import BodyPart, Item, Run
from shared.prompts import Prompt
from shared.store import Store

PARTS: tuple[BodyPart, ...] = ("inputs", "outputs", "error")
ALL_MESSAGES = "all_thread_messages"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An item's latest root run and bodies as the store has them: small until `context` unpacks them."""

    item: Item
    run: Run | None
    packed: Mapping[str, Mapping[BodyPart, bytes]]
    whole: bool

    def context(self) -> dict[str, Any]:
        """CPU work: call it in a thread, and let go of the result soon. Raises ItemError where a body is damaged."""
        parts = self._parts(self.item.run_ids[-1])
        shown: dict[str, Any] = {}
        if self.run is not None:
            shown = self.run.model_dump(mode="json", exclude={"workspace_id", "feedback"})
        shown |= {
            "inputs": parts.get("inputs"),
            "outputs": parts.get("outputs"),
            "error": parts.get("error"),
            "feedback": {} if self.run is None else {key: found.avg for key, found in self.run.feedback.items()},
        }
        return {"run": shown} | ({ALL_MESSAGES: self._thread()} if self.whole else {})

    def _parts(self, run_id: str) -> dict[BodyPart, Any]:
        return {part: unpack(body) for part, body in self.packed.get(run_id, {}).items()}

    def _thread(self) -> list[Any]:
        """The messages of all traces in order; a trace that begins with what came before it is not told twice."""
        told: list[Any] = []
        for run_id in self.item.run_ids:
            parts = self._parts(run_id)
            for messages in (messages_of(parts.get("inputs")), messages_of(parts.get("outputs"))):
                told = messages if messages[: len(told)] == told else told + messages
        return told


async def load(store: Store, items: Sequence[Item], prompt: Prompt) -> list[Loaded]:
    """One an item, in order; bodies of earlier traces of a thread are read only if the prompt names them."""
    if not items:
        return []
    workspace_id = items[0].workspace_id
    whole = any(path.split(".")[0] == ALL_MESSAGES for path in prompt.paths)
    wanted = [run_id for item in items for run_id in (item.run_ids if whole else item.run_ids[-1:])]
    runs = await store.runs(workspace_id, [item.run_ids[-1] for item in items])
    packed = await store.bodies(workspace_id, wanted, PARTS)
    return [Loaded(item, runs.get(item.run_ids[-1]), packed, whole) for item in items]
