"""What happens in one sample trace: the messages and tool calls from the customer's first words to the end."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from insights.demo_texts import TYPOS, Case, Facts, Intent, Tool, misspelt, opening, pick, texts

Message = dict[str, Any]
TURN_SHARES = (30, 57, 77, 89, 96, 100)
TIMEOUT_SECONDS = 30
PASTE_LINES = (80, 400)


@dataclass(frozen=True, slots=True)
class Card:
    """What a trace is about: the ground truth. An odd one has no intent."""

    intent: Intent | None = None
    failure: str | None = None
    mixed: Intent | None = None
    odd: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One message: `user` costs no time; `llm` and `tool` become runs. `arguments` are those of a tool."""

    kind: Literal["user", "llm", "tool"]
    message: Message
    name: str = ""
    arguments: Mapping[str, Any] | None = None
    error: str | None = None


@dataclass(slots=True)
class Story:
    """The steps so far, and how to add one. `turns` is how often the customer may still write."""

    rng: random.Random
    facts: Facts
    turns: int
    typos: bool
    steps: list[Step] = field(default_factory=list)
    error: str | None = None

    def user(self, text: str) -> None:
        """`text` as it is: slots are filled before."""
        self.turns -= 1
        content = misspelt(self.rng, text) if self.typos else text
        self.steps.append(Step("user", {"role": "user", "content": content}))

    def agent(self, text: str) -> None:
        self.steps.append(Step("llm", {"role": "assistant", "content": text.format_map(self.facts)}))

    def exchange(self, pair: Any) -> None:
        self.user(pair[0].format_map(self.facts))
        self.agent(pair[1])

    def call(self, tool: Tool, *, error: str | None = None) -> None:
        """The model's wish to call the tool, then its result or error."""
        call_id = f"call_{self.rng.getrandbits(48):012x}"
        arguments = _filled(tool.arguments, self.facts)
        function = {"name": tool.name, "arguments": json.dumps(arguments)}
        calls = [{"id": call_id, "type": "function", "function": function}]
        wish: Message = {"role": "assistant", "content": None, "tool_calls": calls}
        result = {"error": error} if error else _filled(tool.result, self.facts)
        answer = {"role": "tool", "tool_call_id": call_id, "content": json.dumps(result)}
        self.steps += [Step("llm", wish), Step("tool", answer, tool.name, arguments, error)]


def tell(rng: random.Random, card: Card, facts: Facts, *, again: bool = False, light: bool = False) -> Story:
    """The story of this card. `again`: the customer wrote before; `light`: two turns at most, no tools."""
    roll = rng.random() * 100
    turns = next(turn for turn, below in enumerate(TURN_SHARES, 1) if roll < below)
    story = Story(rng, facts, min(turns, 2) if light else turns, typos=card.odd is None and rng.random() < TYPOS)
    if card.intent is None:
        _tell_odd(story, str(card.odd))
        return story
    start = pick(rng, texts().phrases["again"]) if again else ""
    story.user(start + opening(rng, card.intent, facts, second=card.mixed))
    if light:
        story.agent(pick(rng, pick(rng, card.intent.cases).answers))
        _chat_on(story, card.intent)
    else:
        ENDINGS[card.failure](story, card)
    return story


def _tell_odd(story: Story, kind: str) -> None:
    text, answer = pick(story.rng, texts().odd[kind])
    text = text.format_map(story.facts)
    story.user(text + _log(story) if kind == "paste" else text)
    story.agent(answer)


def _log(story: Story) -> str:
    """Some thousand words of a machine's log, as people paste it."""
    rng, lines = story.rng, []
    for _ in range(rng.randint(*PASTE_LINES)):
        host, code = pick(rng, ("edge", "cart", "img", "auth")), pick(rng, (200, 204, 302, 404, 500, 504))
        lines.append(f"{rng.random() * 60:09.6f} {host}-{rng.randrange(9)} GET /p/{rng.getrandbits(20):x} {code}")
    return "\n" + "\n".join(lines)


def _identify(story: Story, intent: Intent) -> None:
    """The agent asks for what the customer has not said, in most of the conversations that are long enough."""
    said = story.steps[0].message["content"]
    known = story.facts["order"] in said or story.facts["email"] in said
    if story.turns > 0 and not known and story.rng.random() < 0.7:
        story.agent(pick(story.rng, intent.ask))
        story.user(pick(story.rng, intent.give).format_map(story.facts))


def _chat_on(story: Story, intent: Intent) -> None:
    """Further questions, and often thanks at the end, until the customer's turns are used up."""
    rng, phrases = story.rng, texts().phrases
    if story.turns <= 0:
        return
    pool = [*rng.sample(intent.follow, len(intent.follow)), *rng.sample(phrases["more"], 3)]
    pairs = pool[: story.turns]
    if rng.random() < 0.4:
        pairs[-1] = pick(rng, phrases["thanks"])
    for pair in pairs:
        story.exchange(pair)


def _work(story: Story, case: Case, start: str = "") -> None:
    for tool in case.tools:
        story.call(tool)
    story.agent(start + pick(story.rng, case.answers))


def _tell_helped(story: Story, card: Card) -> None:
    intent = card.intent
    assert intent is not None
    _identify(story, intent)
    _work(story, pick(story.rng, intent.cases))
    if card.mixed is not None:
        _work(story, pick(story.rng, card.mixed.cases), pick(story.rng, texts().phrases["also_agent"]))
    _chat_on(story, intent)


def _tell_timeout(story: Story, card: Card) -> None:
    """The last tool does not answer, once or twice; the trace ends with an apology, and in half with an error."""
    intent, rng = card.intent, story.rng
    assert intent is not None
    _identify(story, intent)
    *before, failing = pick(rng, intent.cases).tools
    for tool in before:
        story.call(tool)
    error = f"ToolTimeoutError: {failing.name} did not answer within {TIMEOUT_SECONDS} s"
    for _ in range(2 if rng.random() < 0.4 else 1):
        story.call(failing, error=error)
    story.agent(pick(rng, texts().failures["apologies"]))
    story.error = error if rng.random() < 0.5 else None


def _tell_loop(story: Story, card: Card) -> None:
    """The agent asks for the same thing again and again, and never gets on."""
    loop, rng = texts().failures["loop"], story.rng
    tool = Tool(*loop["tool"])
    replies = [loop["replies"][0], *rng.sample(loop["replies"][1:], 4)]
    for reply in replies[: rng.choice((4, 5))]:
        story.agent(pick(rng, loop["questions"]))
        story.user(reply.format_map(story.facts))
        for _ in range(rng.choice((1, 2, 2, 3))):
            story.call(tool)
    story.agent(pick(rng, loop["questions"]))


def _tell_gives_up(story: Story, card: Card) -> None:
    """The agent says that it can't do what it could, or hands over."""
    lines, rng = texts().failures["gives_up"], story.rng
    assert card.intent is not None
    if rng.random() < 0.3:
        story.call(card.intent.cases[0].tools[0])
    story.agent(pick(rng, lines["answers"]))
    for protest in rng.sample(lines["protests"], min(max(story.turns, 0), 2)):
        story.user(protest)
        story.agent(pick(rng, lines["repeats"]))


ENDINGS: Mapping[str | None, Callable[[Story, Card], None]] = {
    None: _tell_helped,
    "timeout": _tell_timeout,
    "loop": _tell_loop,
    "gives_up": _tell_gives_up,
}


def _filled(value: Any, facts: Facts) -> Any:
    """`value` with the slots of all its strings filled."""
    if isinstance(value, str):
        return value.format_map(facts) if "{" in value else value
    if isinstance(value, Mapping):
        return {key: _filled(part, facts) for key, part in value.items()}
    return [_filled(part, facts) for part in value] if isinstance(value, list) else value
