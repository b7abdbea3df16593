"""Answers in JSON whatever a trace held: lone surrogates, NaN and integers of any size make no 5xx."""

from typing import Any

from fastapi.responses import JSONResponse

from shared.plain_json import dump


class Answer(JSONResponse):
    def render(self, content: Any) -> bytes:
        return dump(content).encode("ascii")
