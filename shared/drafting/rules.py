"""A job's configuration without a model: the variables that the traces have, and attributes that the question names."""

import re
from typing import Any

from shared.drafting.look import Look
from shared.wording import shortened

LARGE = 1_000  # traces from which on a sample will do
LONGEST_NAME = 80
ANSWER = "answer"
RULES: tuple[tuple[str, str, str], ...] = (
    (
        r"giv\w* up|gave up|abandon\w*|drop\w* (?:out|off)|quit\w*|churn\w*",
        "user_gave_up",
        "did the user give up before getting what they wanted?",
    ),
    (
        r"satisf\w*|happy|unhappy|frustrat\w*|angry|annoy\w*|sentiment|complain\w*",
        "user_dissatisfied",
        "does the user say that they are dissatisfied, frustrated or angry?",
    ),
    (
        r"fail\w*|error\w*|wrong\w*|mistake\w*|break\w*|broken|bugs?|problem\w*",
        "failed",
        "did the agent fail to do what was asked?",
    ),
    (
        r"hallucinat\w*|invent\w*|made.up|mak\w* things? up|untrue|factual\w*",
        "made_up",
        "does the answer state something that neither the user nor a tool said?",
    ),
    (r"refus\w*|declin\w*|den(?:y|ie)\w*", "refused", "did the agent refuse to do what was asked?"),
    (
        r"escalat\w*|hand\w* over|hand.?off\w*|humans?|operators?",
        "handed_over",
        "was the user handed over to a person, or did they ask for one?",
    ),
    (r"tools?|function calls?", "tool_failed", "did a call of a tool fail or return nothing of use?"),
    (r"secur\w*|attack\w*|inject\w*|jailbreak\w*|abus\w*", "abuse", "does the user try to misuse the agent?"),
)


def by_rules(agent: str, learn: str, look: Look, traces: int) -> dict[str, Any]:
    """The values of a JobConfig. `learn`: what is to be found out, in the user's words; it becomes attributes."""
    attributes: dict[str, Any] = {
        name: {"type": "boolean", "description": question}
        for pattern, name, question in RULES
        if re.search(rf"\b(?:{pattern})\b", learn, re.IGNORECASE)
    }
    attributes[ANSWER] = {"type": "string", "description": f"{learn}: what this trace says about it, in a few words"}
    return outline(learn, look, traces) | {
        "summary_prompt": prompt(f"The application: {agent}. To be found out: {learn}.", look.chosen()),
        "attribute_schemas": attributes,
    }


def outline(learn: str, look: Look, traces: int) -> dict[str, Any]:
    """What follows from the traces alone, with a model or without."""
    name = f"{learn[:1].upper()}{learn[1:]}"
    return {
        "name": shortened(name, LONGEST_NAME),
        **({"sample": LARGE} if traces > LARGE else {}),
        **({"unit": "thread"} if look.threaded else {}),
    }


def prompt(instructions: str, paths: list[str]) -> str:
    """A summary prompt: what is to be looked for, then the variables, each on a line. No braces but of those."""
    text = re.sub(r"[{}]", "", instructions).strip()
    return "\n".join([text, *(f"{{{{{path}}}}}" for path in paths)])
