"""Questions about a whole job, of which no single one may end it: what the model does not answer is done without it.

A question is a `.mustache` file: what is to be done, a line `---`, and the data, which its caller has delimited.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import chevron
from pydantic import BaseModel

from shared.asking import Asker, Purpose
from shared.errors import AnswerError, BudgetError
from shared.llm import Message, Request, Shape

T = TypeVar("T")
A = TypeVar("A", bound=BaseModel)
_DIVIDER = "\n---\n"


class Questions:
    """Of one stage of one job, to one model. `package` holds the prompts."""

    def __init__(self, asker: Asker, purpose: Purpose, model: str, package: str) -> None:
        self._asker, self._purpose, self._model, self._package = asker, purpose, model, package
        self.asked = 0
        self.unanswered: Counter[str] = Counter()  # by "budget" and "answer"

    async def ask(self, prompt: str, values: Mapping[str, Any], answer: type[A], tokens: int) -> A | None:
        """An answer of at most so many tokens; None where it is not to be had, or not for the budget."""
        request = Request(self._model, messages(self._package, prompt, values), _shape(answer), tokens)
        self.asked += 1
        try:
            return answer.model_validate(await self._asker.answer(self._purpose, request))
        except BudgetError:
            self.unanswered["budget"] += 1
        except AnswerError:
            self.unanswered["answer"] += 1
        return None


def messages(package: str, prompt: str, values: Mapping[str, Any]) -> tuple[Message, ...]:
    """The instructions as the system's, the data as the user's."""
    instructions, _, data = _template(package, prompt).partition(_DIVIDER)
    parts = (("system", instructions), ("user", data))
    return tuple(Message(role, chevron.render(text, values).strip()) for role, text in parts)  # type: ignore[arg-type]


async def together(questions: Iterable[Awaitable[T]]) -> list[T]:
    """All at once, in order; the first error is raised when all have ended, so that nothing goes on unseen."""
    found = await asyncio.gather(*questions, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found  # type: ignore[return-value]


@cache
def _template(package: str, prompt: str) -> str:
    return files(package).joinpath("prompts", f"{prompt}.mustache").read_text(encoding="utf-8")


@cache
def _shape(answer: type[BaseModel]) -> Shape:
    return Shape.of(answer)
