"""A model of a few lines."""

from collections.abc import Iterator
from typing import Any

from shared.llm import Answer, Endpoint, Llm, Request, Usage
from shared.llm.client import Admit, Paid


class Scripted(Llm):
    """Answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__(Endpoint("http://127.0.0.1:9/v1"))
        self._script: Iterator[dict[str, Any]] = iter(answers)
        self.requests: list[Request] = []

    async def ask(self, request: Request, paid: Paid = lambda usage: None, admit: Admit | None = None) -> Answer:
        self.requests.append(request)
        paid(Usage(input=10, output=5))
        return Answer(request.shape.check(next(self._script)), Usage(10, 0, 5), 1, request.model, 1)

    @property
    def asked(self) -> list[list[str]]:
        """The attributes of each call."""
        return [list(one.shape.schema["properties"]) for one in self.requests]
