"""docs/openapi.json, as `make openapi` writes it."""

import json
import sys
from typing import Any

from services.gateway.app import make_app
from tests.services.gateway import nothing


def document() -> dict[str, Any]:
    """Of a gateway that asks no store: the document is about routes alone."""
    return make_app(None, nothing, nothing).openapi()  # type: ignore[arg-type]


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
