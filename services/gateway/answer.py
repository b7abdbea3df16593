"""Answers that hold what clients sent: JSON in ASCII; NaN, lone surrogates and big integers come back equal."""

from typing import Any

from fastapi import Response

from shared.store.documents import encode


class Answer(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return encode(content).encode("ascii")
