"""What is asked of a model, and what it answered."""

from dataclasses import dataclass
from typing import Any, Literal

from shared.llm.shape import Shape
from shared.llm.tokens import estimate_tokens
from shared.llm.usage import Usage
from shared.wording import clean

Role = Literal["system", "user", "assistant"]
MESSAGE_TOKENS = 4  # what a chat's format adds to each message


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str

    def wire(self) -> dict[str, str]:
        return {"role": self.role, "content": clean(self.content)}


@dataclass(frozen=True, slots=True)
class Request:
    """One question. The answer is JSON of the `shape`.

    max_output_tokens: of the answer itself; a model that reasons gets room for its thoughts besides.
    effort: of reasoning; sent only to models that know it.
    seed: for endpoints that know it.
    """

    model: str
    messages: tuple[Message, ...]
    shape: Shape
    max_output_tokens: int
    effort: str | None = "low"
    seed: int | None = None

    def estimated_input(self) -> int:
        """Tokens of the prompt with its schema, by the rule of `estimate_tokens`."""
        return sum(estimate_tokens(message.content) + MESSAGE_TOKENS for message in self.messages) + self.shape.tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """`usage` is that of all `attempts` (calls over HTTP) that were answered, not of the last alone."""

    value: dict[str, Any]
    usage: Usage
    attempts: int
    model: str
    milliseconds: int
