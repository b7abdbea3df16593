"""Sample traces as LangSmith exports them: a story becomes a root run with its model and tool runs inside."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from insights.demo_stories import TIMEOUT_SECONDS, Card, Message, Step, Story
from insights.demo_texts import pick, texts

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  times are UTC; the offset is written by hand
SECOND = 1_000_000
PRICES = {"gpt-4.1": (2e-6, 8e-6), "gpt-4.1-mini": (0.4e-6, 1.6e-6)}
FEEDBACK_SHARE = 0.40
FAILED_SCORES = {"timeout": 0.15, "loop": 0.2, "gives_up": 0.07}
ODD_SCORE = 0.6
LOOP_PACE = 1.8
VERSIONS = ("3.4.1", "3.4.2", "3.5.0")


@dataclass(frozen=True, slots=True)
class Plan:
    """When a trace starts (microseconds since 1970), what it is about, and whose it is."""

    start: int
    card: Card
    seed: int
    customer: int
    thread: str | None = None
    again: bool = False
    unfinished: bool = False


@dataclass(slots=True)
class _Trace:
    """The clock, the conversation so far and the sums while a trace is built."""

    rng: random.Random
    root_id: str
    root_order: str
    clock: int
    pace: float
    model: str
    metadata: dict[str, Any]
    history: list[Message] = field(default_factory=list)
    seen_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    children: list[dict[str, Any]] | None = None

    def say(self, message: Message) -> None:
        self.history.append(message)
        self.seen_tokens += _tokens(message)

    def take(self, step: Step) -> None:
        """One step: a user's message costs no time, the others become runs."""
        if step.kind != "user":
            start = self.clock + int(self.rng.random() * 4_000) + 500
            self.clock = start + (self._think(step) if step.kind == "llm" else self._use(step))
            if self.children is not None:
                self.children.append(self._child(step, start))
        self.say(step.message)

    def _think(self, step: Step) -> int:
        """How long the model takes, in microseconds; its tokens are added up."""
        completion = _tokens(step.message)
        self.prompt_tokens += self.seen_tokens
        self.completion_tokens += completion
        seconds = 0.35 + 0.018 * completion + 0.0003 * self.seen_tokens
        return int(seconds * self.pace * self.rng.lognormvariate(0, 0.45) * SECOND)

    def _use(self, step: Step) -> int:
        if step.error:
            return TIMEOUT_SECONDS * SECOND + int(self.rng.random() * 40_000)
        return int(self.pace * self.rng.lognormvariate(-1.4, 0.6) * SECOND)

    def _child(self, step: Step, start: int) -> dict[str, Any]:
        run_id, (written, order) = new_id(self.rng), _times(start)
        parts = self._llm(step) if step.kind == "llm" else self._tool(step)
        return {
            "id": run_id,
            "trace_id": self.root_id,
            "parent_run_id": self.root_id,
            "dotted_order": f"{self.root_order}.{order}{run_id}",
            "run_type": step.kind,
            "start_time": written,
            "end_time": _times(self.clock)[0],
            "error": step.error,
            "status": "error" if step.error else "success",
            "tags": [],
            "child_runs": [],
            **parts,
        }

    def _llm(self, step: Step) -> dict[str, Any]:
        reason = "tool_calls" if "tool_calls" in step.message else "stop"
        choice = {"index": 0, "message": step.message, "finish_reason": reason}
        usage = _usage(self.model, self.seen_tokens, _tokens(step.message))
        return {
            "name": "ChatOpenAI",
            "inputs": {"messages": self.history.copy()},
            "outputs": {"choices": [choice], "model": self.model, "usage_metadata": usage},
            "extra": {"metadata": {**self.metadata, "ls_provider": "openai", "ls_model_name": self.model}},
        }

    def _tool(self, step: Step) -> dict[str, Any]:
        return {
            "name": step.name,
            "inputs": step.arguments,
            "outputs": None if step.error else {"output": step.message["content"]},
            "extra": {"metadata": self.metadata},
        }


def build(rng: random.Random, plan: Plan, story: Story, *, light: bool = False) -> dict[str, Any]:
    """The root run of this story, ready for json; `light` leaves the runs inside out."""
    trace = _begin(rng, plan, story, light=light)
    for step in story.steps:
        trace.take(step)
    run = _root(plan, story, trace)
    if plan.unfinished:
        for stopped in (run, *(trace.children or [])[-1:]):
            stopped |= {"end_time": None, "outputs": None, "error": None, "status": "pending"}
    else:
        run |= _totals(trace) | _feedback(rng, plan.card)
    return run


def _begin(rng: random.Random, plan: Plan, story: Story, *, light: bool) -> _Trace:
    card, root_id = plan.card, new_id(rng)
    model = "gpt-4.1" if rng.random() < 0.3 else "gpt-4.1-mini"
    pace = (card.intent.pace if card.intent else 1.0) * (LOOP_PACE if card.failure == "loop" else 1.0)
    trace = _Trace(
        rng=rng,
        root_id=root_id,
        root_order=_times(plan.start)[1] + root_id,
        clock=plan.start + int(rng.random() * 20_000),
        pace=pace,
        model=model,
        metadata=_metadata(rng, plan, model, story.facts["plan"]),
        children=None if light else [],
    )
    trace.say({"role": "system", "content": texts().system})
    return trace


def _metadata(rng: random.Random, plan: Plan, model: str, membership: str) -> dict[str, Any]:
    found = {
        "env": "staging" if rng.random() < 0.08 else "production",
        "plan": membership,
        "model": model,
        "version": pick(rng, VERSIONS),
    }
    return found | ({"thread_id": plan.thread} if plan.thread else {})


def _root(plan: Plan, story: Story, trace: _Trace) -> dict[str, Any]:
    error = story.error
    return {
        "id": trace.root_id,
        "trace_id": trace.root_id,
        "parent_run_id": None,
        "dotted_order": trace.root_order,
        "name": "support_agent",
        "run_type": "chain",
        "start_time": _times(plan.start)[0],
        "end_time": _times(trace.clock + 2_000)[0],
        "error": error,
        "status": "error" if error else "success",
        "inputs": {"messages": trace.history[:2]},
        "outputs": {"messages": trace.history[2:]},
        "extra": {"metadata": trace.metadata},
        "tags": ["support", pick(trace.rng, ("web", "web", "app", "mail"))],
        "child_runs": trace.children or [],
    }


def _totals(trace: _Trace) -> dict[str, Any]:
    usage = _usage(trace.model, trace.prompt_tokens, trace.completion_tokens)
    names = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
    names |= {"input_cost": "prompt_cost", "output_cost": "completion_cost"}
    return {names.get(key, key): value for key, value in usage.items()}


def _feedback(rng: random.Random, card: Card) -> dict[str, Any]:
    """The score of a customer who left one: 1, 0, or rarely the middle."""
    if rng.random() >= FEEDBACK_SHARE:
        return {}
    usual = card.intent.score if card.intent else ODD_SCORE
    good = FAILED_SCORES[card.failure] if card.failure else usual
    score = 0.5 if rng.random() < 0.06 else float(rng.random() < good)
    return {"feedback_stats": {"user_score": {"n": 1, "avg": score}}}


def _usage(model: str, prompt: int, completion: int) -> dict[str, Any]:
    """Tokens, and dollars."""
    costs = prompt * PRICES[model][0], completion * PRICES[model][1]
    return {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": prompt + completion,
        "input_cost": round(costs[0], 9),
        "output_cost": round(costs[1], 9),
        "total_cost": round(sum(costs), 9),
    }


def _tokens(message: Message) -> int:
    """About four characters each, as with English and OpenAI's tokenizers."""
    characters = len(message["content"] or "")
    for call in message.get("tool_calls", ()):
        characters += 24 + len(call["function"]["arguments"])
    return 4 + characters // 4


def new_id(rng: random.Random) -> str:
    """A version 4 UUID; the uuid module would take a fifth of the whole time."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _times(at: int) -> tuple[str, str]:
    """A time as ISO 8601 and as in a dotted_order."""
    written = (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")
    return written + "+00:00", written.replace("-", "").replace(":", "").replace(".", "") + "Z"
